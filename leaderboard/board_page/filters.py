"""Which rows of a board are shown, and in which order. Pure: rows and the words of an address in, rows out.

Filters only hide rows. Ranks, tiers and intervals were computed over the whole board and stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One model on a board, with what it can be filtered and sorted by. None is unknown."""

    rank: int | None  # None without an interval: such a model has no place yet
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
        """The key of a board's own order: by Elo, for a rank counts surely better models and can jump over a wide
        interval. None without a place."""
        return None if self.rank is None else -self.elo

    @property
    def origin(self) -> str:
        """What a reader must know of the model before its numbers: sample, imported; "" of a catalogued one."""
        origin = self.standing.rating.image_model.origin
        return "" if origin == "catalog" else str(origin)

    @property
    def subtitle(self) -> str:
        """The line under the name: whose it is, or that its rating is not settled."""
        unsettled = f"unsettled: {self.votes:,} votes" if self.status == "provisional" else ""
        return " · ".join(filter(None, (self.origin, unsettled or self.lab_name)))


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
    def active(self) -> int:
        """How many filters hide rows."""
        return sum(getattr(self, name) not in ("", None) for name in FIELDS)

    @property
    def unfiltered(self) -> str:
        """The query of the same board in the same order, with all its rows."""
        return self.query(**dict.fromkeys(FIELDS, ""))

    @property
    def conditions(self) -> str:
        """The filters in words that begin a sentence: Under $0.02 with commercial rights. "" without filters."""
        weights = {"open": "with open weights", "closed": "without open weights"}
        parts = [
            f"named “{self.q}”" if self.q else "",
            f"under ${self.price:f}" if self.price is not None else "",
            f"within {self.seconds:g} s" if self.seconds is not None else "",
            {"yes": "with commercial rights", "ask": "with rights to ask for", "no": "without commercial rights"}.get(
                self.rights, ""
            ),
            weights.get(self.weights, ""),
            f"under the licence {self.licence}" if self.licence else "",
            f"of {self.lab}" if self.lab else "",
            f"at {self.provider}" if self.provider else "",
            f"released since {self.released}" if self.released else "",
            "without unsettled ratings" if self.status else "",
        ]
        words = " ".join(filter(None, parts))
        return words[:1].upper() + words[1:]

    def query(self, **changes: str) -> str:
        """The address's query with some words changed; an empty word goes away."""
        return urlencode({name: value for name, value in {**self.given, **changes}.items() if value})


def choices(rows: Iterable[BoardRow]) -> Choices:
    """The values that these rows have in each filter, sorted as they are listed."""
    rows = list(rows)
    return Choices(
        labs=tuple(sorted({(row.lab, row.lab_name) for row in rows if row.lab}, key=lambda lab: lab[1].casefold())),
        licences=tuple(sorted({row.licence for row in rows if row.licence}, key=str.casefold)),
        providers=tuple(sorted({provider for row in rows for provider in row.providers})),
    )


def read(words: Mapping[str, str], offered: Choices, keep: Sequence[str] = ()) -> Filters:
    """The filters an address asks for. A word that cannot be used is left out and said in `errors`, by its name.

    Words of `keep` belong to somebody else and are only carried along.
    """
    given = {name: words[name].strip() for name in (*keep, *FIELDS, "sort") if words.get(name, "").strip()}
    errors: dict[str, str] = {}
    known = {
        "lab": [slug for slug, _ in offered.labs],
        "licence": offered.licences,
        "provider": offered.providers,
        "weights": tuple(WEIGHTS),
        "status": ("sure",),
        "rights": RIGHTS,
    }
    chosen: dict[str, Any] = {}
    for name, allowed in known.items():
        if (value := given.get(name, "")) and value in allowed:
            chosen[name] = value
        elif value:
            errors[name] = f"“{value}” is not on this board. {_one_of(allowed)}"
    if "price" in given:
        price = _amount(given["price"])
        if price is None:
            errors["price"] = f"“{given['price']}” is not an amount in US dollars. Write it like 0.04."
        else:
            chosen["price"] = price
    if "seconds" in given:
        seconds = _amount(given["seconds"])
        if seconds is None:
            errors["seconds"] = f"“{given['seconds']}” is not a number of seconds. Write it like 5."
        else:
            chosen["seconds"] = float(seconds)
    if "q" in given:
        chosen["q"] = given["q"][:100]
    if "released" in given:
        try:
            chosen["released"] = date.fromisoformat(given["released"])
        except ValueError:
            errors["released"] = f"“{given['released']}” is not a date. Write it like 2026-01-31."
    sort = given.get("sort", "rank")
    if sort.removeprefix("-") in SORTS:
        chosen |= {"sort": sort.removeprefix("-"), "reverse": sort.startswith("-")}
    else:
        errors["sort"] = f"Nothing is sorted by “{sort}”. {_one_of(SORTS)}"
    return Filters(**chosen, given=given, errors=errors)


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


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= 1000 else None


def _one_of(allowed: Iterable[str]) -> str:
    names = list(allowed)
    if not names:
        return "There is nothing to choose from yet."
    return f"Choose one of: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."
