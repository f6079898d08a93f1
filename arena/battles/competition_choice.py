"""Voting within one competition, as `?competition=` of the voting URLs chooses it.

A voter chooses a competition, never a pair: each competition has its own queue of pairs, in the order they were
assigned, and a pair that is on the screen is answered or skipped before any other. So going from one competition to
another and back brings the same pairs again.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from arena import matchmaking, pairing
from arena.battles.rows import BattleRow
from arena.models import Category, Competition
from providers.cache import ProcessCache

PARAMETER = "competition"
NOT_OPEN = 0  # no competition has this id

Open = tuple[tuple[int, str, str], ...]  # id, slug and title of competitions
open_competitions: ProcessCache[int, Open] = ProcessCache(seconds=3.0, max_entries=1000)  # by category


@dataclass(frozen=True, slots=True)
class CompetitionChoice:
    """One competition of a category, or all of them while `competition` is None.

    One that cannot be voted in is `NOT_OPEN`: it has no pairs, and the voting page says so.
    """

    competition: int | None = None
    slug: str = ""
    title: str = ""

    @property
    def query(self) -> str:
        """What URLs of voting end with."""
        return f"?{urlencode({PARAMETER: self.slug})}" if self.slug else ""

    @property
    def cookie_suffix(self) -> str:
        return "" if self.competition is None else f"-{self.competition}"

    def has(self, row: BattleRow) -> bool:
        return self.competition is None or row.competition == self.competition

    def pool(self, category: int) -> matchmaking.Pool:
        pool = pairing.pool_of(category)
        return pool if self.competition is None else pool.within(self.competition)


ALL = CompetitionChoice()


def of(request: HttpRequest, category: int) -> CompetitionChoice:
    """What the URL of this request chooses."""
    slug = request.GET.get(PARAMETER, "")
    if not slug:
        return ALL
    open_ones = (CompetitionChoice(*row) for row in open_in(category))
    return next((choice for choice in open_ones if choice.slug == slug), CompetitionChoice(NOT_OPEN, slug))


def open_in(category: int) -> Open:
    """The competitions that can be voted in, by title; up to three seconds old."""
    return open_competitions.get_or_compute(category, lambda: _open_in(category))


def published(category: Category, choice: CompetitionChoice) -> Competition | None:
    """The competition of a choice that is not open, if visitors may know of it."""
    known: Competition | None = Competition.everything.published().filter(category=category, slug=choice.slug).first()
    return known


def _open_in(category: int) -> Open:
    pool = pairing.pool_of(category)
    with_pairs = set(pool.competitions[pool.battles_of > 0].tolist())
    rows = Competition.everything.filter(pk__in=with_pairs).order_by("title", "pk")
    return tuple(rows.values_list("pk", "slug", "title"))
