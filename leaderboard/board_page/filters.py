"""Which rows of a board are shown, and in which order. Pure: rows and the words of an address in, rows out.

Filters only hide rows. Ranks, tiers and intervals were computed over the whole board and stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from providers.web.query_parameters import SECONDS, US_DOLLARS, Parameters, Query
from providers.web.sentence import sentence


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One model on a board, with what it can be filtered and sorted by. None is unknown."""

    is_placed: bool  # False without an interval: such a model has no place yet
    slug: str
    name: str
    elo: float
    votes: int
    status: str
    best: float = 0.0
    lab: str = ""  # its slug
    lab_name: str = ""
    licence: str = ""
    commercial: str = "ask"  # use: yes, ask, no
    open_weights: bool = False
    released_on: date | None = None
    keeper_rate: float | None = None
    price: Decimal | None = None
    seconds: float | None = None
    providers: tuple[str, ...] = ()
    standing: Any = None  # what the page shows of it
    facts: Any = None

    @property
    def line(self) -> float | None:
        """The key of a board's own order: by Elo, for a place counts surely better models and can jump over a wide
        interval. None without a place."""
        return -self.elo if self.is_placed else None

    @property
    def origin(self) -> str:
        """What a reader must know of the model before its numbers: sample, imported; "" of a catalogued one."""
        origin = self.standing.rating.image_model.origin
        return "" if origin == "catalog" else str(origin)


# A sort's key and whether more comes first. What is unknown comes last either way.
SORTS: dict[str, tuple[str, bool]] = {
    "rank": ("line", False),
    "model": ("name", False),
    "elo": ("elo", True),
    "best": ("best", True),
    "votes": ("votes", True),
    "keepers": ("keeper_rate", True),
    "price": ("price", False),
    "seconds": ("seconds", False),
    "released": ("released_on", True),
}
WEIGHTS = {"open": True, "closed": False}
RIGHTS = ("yes", "ask", "no")
FIELDS = ("q", "price", "seconds", "rights", "lab", "licence", "weights", "provider", "released", "status")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the board's own rows can be filtered by: nothing is offered that would show an empty board."""

    labs: tuple[tuple[str, str], ...]
    licences: tuple[str, ...]
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    lab: str = ""
    licence: str = ""
    weights: str = ""
    provider: str = ""
    q: str = ""  # part of a name
    price: Decimal | None = None  # USD per image, at most
    seconds: float | None = None  # at most
    rights: str = ""  # commercial use
    released: date | None = None  # on that day or later
    status: str = ""  # "sure" hides provisional rows
    sort: str = "rank"
    reverse: bool = False
    given: Mapping[str, str] = field(default_factory=dict)  # as written, also what could not be used
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The filters that hide rows."""
        return [name for name in FIELDS if getattr(self, name) not in ("", None)]

    @property
    def active(self) -> int:
        """How many filters hide rows."""
        return len(self.names)

    def without(self, name: str) -> Filters:
        """All the others."""
        return replace(self, **{name: getattr(_NONE, name)})

    def only(self, name: str) -> Filters:
        return replace(_NONE, **{name: getattr(self, name)})

    @property
    def unfiltered(self) -> str:
        """The query of the same board in the same order, with all its rows."""
        return self.query(**dict.fromkeys(FIELDS, ""))

    def query(self, **changes: str) -> str:
        """The address's query with some words changed; an empty word goes away."""
        return urlencode({name: value for name, value in {**self.given, **changes}.items() if value})


_NONE = Filters()


def choices(rows: Iterable[BoardRow]) -> Choices:
    """The values that these rows have in each filter, sorted as they are listed."""
    rows = list(rows)
    return Choices(
        labs=tuple(sorted({(row.lab, row.lab_name) for row in rows if row.lab}, key=lambda lab: lab[1].casefold())),
        licences=tuple(sorted({row.licence for row in rows if row.licence}, key=str.casefold)),
        providers=tuple(sorted({provider for row in rows for provider in row.providers})),
    )


def read(words: Query, offered: Choices, keep: Sequence[str] = ()) -> Filters:
    """The filters an address asks for. A word that cannot be used is left out and said in `errors`, by its name.

    Words of `keep` belong to somebody else and are only carried along.
    """
    asked = Parameters(words, (*keep, *FIELDS, "sort"))
    here = sentence("on this board")
    sort = asked.one_of(
        "sort", [*SORTS, *(f"-{name}" for name in SORTS)], "rank", where=sentence("what a board is sorted by")
    )
    seconds = asked.amount("seconds", SECONDS, "5")
    return Filters(
        lab=asked.one_of("lab", [slug for slug, _ in offered.labs], where=here),
        licence=asked.one_of("licence", offered.licences, where=here),
        weights=asked.one_of("weights", WEIGHTS, where=here),
        provider=asked.one_of("provider", offered.providers, where=here),
        q=asked.text("q"),
        price=asked.amount("price", US_DOLLARS, "0.04"),
        seconds=None if seconds is None else float(seconds),
        rights=asked.one_of("rights", RIGHTS, where=here),
        released=asked.day("released"),
        status=asked.one_of("status", ["sure"], where=here),
        sort=sort.removeprefix("-"),
        reverse=sort.startswith("-"),
        given=asked.given,
        errors=asked.errors,
    )


def shown(rows: Iterable[BoardRow], filters: Filters) -> list[BoardRow]:
    """The rows that pass, in the order asked for. A row passes a price or date only if its own is known."""
    return in_order([row for row in rows if _passes(row, filters)], filters.sort, filters.reverse)


def in_order(rows: Sequence[BoardRow], sort: str, reverse: bool = False) -> list[BoardRow]:
    """Stable: equals keep their order. Unknown values come last, also when reversed."""
    attribute, more_first = SORTS[sort]

    def key(row: BoardRow) -> Any:
        value = getattr(row, attribute)
        return value.casefold() if isinstance(value, str) else value

    known = [row for row in rows if getattr(row, attribute) is not None]
    unknown = [row for row in rows if getattr(row, attribute) is None]
    return sorted(known, key=key, reverse=more_first != reverse) + unknown


def _passes(row: BoardRow, filters: Filters) -> bool:
    return (
        (not filters.lab or row.lab == filters.lab)
        and (not filters.licence or row.licence == filters.licence)
        and (not filters.weights or row.open_weights == WEIGHTS[filters.weights])
        and (not filters.provider or filters.provider in row.providers)
        and (filters.price is None or (row.price is not None and row.price <= filters.price))
        and (filters.seconds is None or (row.seconds is not None and row.seconds <= filters.seconds))
        and (not filters.rights or row.commercial == filters.rights)
        and (not filters.q or filters.q.casefold() in f"{row.name} {row.slug} {row.lab_name}".casefold())
        and (filters.released is None or (row.released_on is not None and row.released_on >= filters.released))
        and (not filters.status or row.status != "provisional")
    )
