"""A voter's own ranking of a category, and the links by which they share it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Count, Max
from django.utils.translation import gettext

from arena.models import Category, Voter
from leaderboard.models import Rating, SharedRanking
from leaderboard.rating import elo, personal
from leaderboard.rating.place import Place
from providers.models import ImageModel


@dataclass(frozen=True, slots=True)
class RankedModel:
    """A model in somebody's own ranking, beside its public rating."""

    image_model: ImageModel
    elo: float
    lower: float
    upper: float
    public: Rating | None
    place: Place
    won: int
    tied: int
    lost: int

    @property
    def votes(self) -> int:
        return self.won + self.tied + self.lost

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, slots=True)
class Ranking:
    """The models a voter has judged, best first."""

    category: Category
    votes: int
    places: list[RankedModel]

    @property
    def headline(self) -> str:
        """Whose model wins, once its chance of being first is at least a half."""
        if not self.places:
            return gettext("No model yet.")
        first = self.places[0]
        if len(self.places) == 1 or (first.place.best or 0) >= 0.5:
            return gettext("%(name)s is your model.") % {"name": first.image_model.name}
        names = {"one": first.image_model.name, "other": self.places[1].image_model.name}
        return gettext("%(one)s or %(other)s: too close to call.") % names

    @property
    def low(self) -> float:
        return min((place.lower for place in self.places), default=0.0)

    @property
    def high(self) -> float:
        return max((place.upper for place in self.places), default=0.0)


def of(voter: Voter | None, category: Category, until: datetime | None = None) -> Ranking:
    """From all of the voter's votes, also those beyond the cap: it is their taste. `until` leaves out later ones."""
    if voter is None:
        return Ranking(category, 0, [])
    votes = voter.votes.filter(category=category)
    if until is not None:
        votes = votes.filter(cast_at__lte=until)
    rows = list(votes.values_list("left_model", "right_model", "outcome").annotate(n=Count("*")).order_by())
    total = sum(row[3] for row in rows)
    rows = [row for row in rows if row[0] != row[1]]
    return Ranking(category, total, _places(category, rows))


def _places(category: Category, rows: Iterable[tuple[int, int, str, int]]) -> list[RankedModel]:
    cells = elo.Cells.from_rows((str(left), str(right), outcome, n) for left, right, outcome, n in rows)
    ids = [int(model) for model in cells.models]
    image_models = ImageModel.everything.select_related("lab").in_bulk(ids)
    public = {rating.image_model_id: rating for rating in category.ratings.filter(image_model__in=ids)}
    priors = [personal.prior(*((public[pk].elo, public[pk].se) if pk in public else (None, None))) for pk in ids]
    fitted = personal.fit(cells, np.array([prior[0] for prior in priors]), np.array([prior[1] for prior in priors]))
    k, places, own_places = len(ids), [], fitted.places
    won = np.bincount(cells.left, cells.n * (cells.score == 1), k) + np.bincount(
        cells.right, cells.n * (cells.score == 0), k
    )
    lost = np.bincount(cells.left, cells.n * (cells.score == 0), k) + np.bincount(
        cells.right, cells.n * (cells.score == 1), k
    )
    all_votes = np.bincount(cells.left, cells.n, k) + np.bincount(cells.right, cells.n, k)
    for index in np.argsort(-fitted.elo, kind="stable"):
        places.append(
            RankedModel(
                image_models[ids[index]],
                float(fitted.elo[index]),
                float(fitted.lower[index]),
                float(fitted.upper[index]),
                public.get(ids[index]),
                own_places[index],
                won=int(won[index]),
                tied=int(all_votes[index] - won[index] - lost[index]),
                lost=int(lost[index]),
            )
        )
    return places


def share(voter: Voter, category: Category) -> SharedRanking | None:
    """A link to the ranking as these votes make it; the same link until the next vote. None without any vote."""
    until = voter.votes.filter(category=category).aggregate(last=Max("cast_at"))["last"]
    if until is None:
        return None
    with transaction.atomic():
        return SharedRanking.objects.get_or_create(voter=voter, category=category, until=until)[0]


def shared(link: SharedRanking) -> Ranking:
    return of(link.voter, link.category, link.until)
