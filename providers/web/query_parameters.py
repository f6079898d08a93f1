"""Query parameters of pages, read in one way: a value that cannot be used is never replaced in silence.

It is left out, and `errors` has the reason and what would help, for the page to show with status 400: sentences that it
translates. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from providers.web.sentence import sentence

MAX_TEXT = 100  # characters of a search
MAX_NAMED = 12  # values that a message lists
IN_THIS_LIST = sentence("in this list")
SECONDS = sentence("a number of seconds")
US_DOLLARS = sentence("an amount in US dollars")


class Query(Protocol):
    def get(self, key: str, /) -> Any: ...


class Parameters:
    """What a URL asks for, by parameter: `given` as written, `errors` for what cannot be used.

    `query` is Django's QueryDict, whose parameters may have several values, or a plain mapping.
    """

    def __init__(self, query: Query, names: Iterable[str]) -> None:
        self.query = query
        self.given = {name: text for name in names if (text := str(query.get(name) or "").strip())}
        self.errors: dict[str, str] = {}

    def one_of(self, name: str, allowed: Iterable[str], default: str = "", *, where: str = IN_THIS_LIST) -> str:
        """A value of those, or `default`; `where` as in “is not in this list”."""
        value, values = self.given.get(name, ""), list(allowed)
        if not value:
            return default
        if value in values:
            return value
        self.errors[name] = _not_among(value, where, values)
        return default

    def several(self, name: str, allowed: Iterable[str], *, where: str = IN_THIS_LIST) -> tuple[str, ...]:
        """Those of the parameter's values, each once."""
        values = list(allowed)
        getlist = getattr(self.query, "getlist", None)
        raw: list[str] = getlist(name) if getlist else [str(self.query.get(name) or "")]
        given = list(dict.fromkeys(text.strip() for text in raw if text.strip()))
        if unknown := [text for text in given if text not in values]:
            self.errors[name] = _not_among(unknown[0], where, values)
        return tuple(text for text in given if text in values)

    def amount(self, name: str, what: str, example: str, most: int = 3600) -> Decimal | None:
        """A number from 0 to `most`; `what` as in “not a number of seconds”."""
        if name not in self.given:
            return None
        try:
            value = Decimal(self.given[name].removeprefix("$"))
        except InvalidOperation:
            value = Decimal(-1)
        if value.is_finite() and 0 <= value <= most:
            return value
        self.errors[name] = sentence(
            "“%(value)s” is not %(what)s from 0 to %(most)s. Write it like %(example)s.",
            value=self.given[name],
            what=what,
            most=most,
            example=example,
        )
        return None

    def day(self, name: str) -> date | None:
        if name not in self.given:
            return None
        try:
            return date.fromisoformat(self.given[name])
        except ValueError:
            self.errors[name] = sentence(
                "“%(value)s” is not a date. Write it like %(example)s.", value=self.given[name], example="2026-01-31"
            )
            return None

    def text(self, name: str, longest: int = MAX_TEXT) -> str:
        """Any text, which may be too long."""
        value = self.given.get(name, "")
        if len(value) <= longest:
            return value
        self.errors[name] = sentence(
            "“%(start)s…” has %(length)s characters; %(limit)s are the limit here.",
            start=value[:40],
            length=len(value),
            limit=longest,
        )
        return ""


def _not_among(value: str, where: str, values: Sequence[str]) -> str:
    if not values:
        return sentence("“%(value)s” is not %(where)s. There is nothing to choose from yet.", value=value, where=where)
    choice = ", ".join(values[:MAX_NAMED]) + (" …" if len(values) > MAX_NAMED else "")
    return sentence("“%(value)s” is not %(where)s. Choose one of: %(choice)s.", value=value, where=where, choice=choice)
