"""`model: "auto"`: the model that the votes of this site, prices and measured times speak for.

`auto` is the first board for the request's mode, `auto:<category>` a board by name. Of its models that the key may use,
that fit the request and stay within `max_price` (USD an image) and `max_seconds` (the 95th percentile of measured
times), the best rated is found; then the cheapest of those whose place begins no lower, which the votes do not
distinguish from it: nobody pays for a difference that was not shown. The reason stands in the response's
`metadata.auto`.

Another app knows the ratings and registers them (`register`, from its AppConfig).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from providers import routing
from providers.cache import ProcessCache
from providers.gateway.errors import ApiError
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, ImageModel, Offering
from providers.offering import fit
from providers.performance import summaries
from providers.request import ImageRequest

NAME = "auto"


@dataclass(frozen=True, slots=True)
class RatedModel:
    """A model on a board: Elo with its 95 % interval, and its place in words.

    `first_place` is the better end of the place: so many models less one are shown to be better.
    """

    slug: str
    elo: float
    lower: float
    upper: float
    place: str
    first_place: int
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class RatedBoard:
    """A board's models with an interval, best first."""

    category: str
    name: str
    votes: int
    models: tuple[RatedModel, ...]


class Ratings(Protocol):
    """What an app registers."""

    def board(self, mode: str, category: str) -> RatedBoard | None:
        """The board of this name for requests of `mode`, with "" the first one; None where there is none."""


class NoRatings:
    """A site whose models are rated by nobody."""

    def board(self, mode: str, category: str) -> RatedBoard | None:
        return None


_ratings: Ratings = NoRatings()
_boards: ProcessCache[tuple[str, str], RatedBoard] = ProcessCache(seconds=10.0, max_entries=100)


def register(ratings: Ratings) -> None:
    """Make an app's ratings those of this site; the last one registered is used."""
    global _ratings  # set once per process, while Django sets its apps up
    _ratings = ratings


@dataclass(frozen=True, slots=True)
class _Candidate:
    image_model: ImageModel
    rated: RatedModel
    price: Decimal | None  # USD for the cheapest image that fits
    seconds: float | None  # 95th percentile of that offering

    @property
    def by_price(self) -> tuple[bool, Decimal, bool, float, float]:
        return (
            self.price is None, self.price or Decimal(0), self.seconds is None, self.seconds or 0.0, -self.rated.elo,
        )  # fmt: skip


def is_auto(name: str) -> bool:
    return name == NAME or name.startswith(f"{NAME}:")


def choose(key: ApiKey, request: ApiRequest) -> tuple[ImageModel, dict[str, Any]]:
    """The model, and why as JSON. Raises ApiError: 404 when there is no such board or no model of it passes."""
    board = _board(request)
    candidates = _candidates(key, request, board)
    passed, over_price, over_time = [], 0, 0
    for candidate in candidates:
        if request.max_price is not None and not _within(candidate.price, request.max_price):
            over_price += 1
        elif request.max_seconds is not None and not _within(candidate.seconds, request.max_seconds):
            over_time += 1
        else:
            passed.append(candidate)
    if not passed:
        text = f"No model of the board {board.category!r} can be chosen: {len(candidates)} can be called for this."
        if over_price:
            text += f" {over_price} cost more than max_price, or their price is unknown."
        if over_time:
            text += f" {over_time} take longer than max_seconds, or too few calls were measured."
        raise ApiError(404, "model_not_found", text, param="model")
    best = max(passed, key=lambda candidate: candidate.rated.elo)
    # By places, as on the board: intervals overlap where a difference is shown, and part where none is.
    tied = [candidate for candidate in passed if candidate.rated.first_place <= best.rated.first_place]
    chosen = min(tied, key=lambda candidate: candidate.by_price)
    return chosen.image_model, _reason(board, chosen, best, len(tied), len(passed), len(candidates))


def _board(request: ApiRequest) -> RatedBoard:
    category = request.model.partition(":")[2].strip()
    board = _boards.get((request.mode, category))
    if board is None:
        board = _ratings.board(request.mode, category)
        if board is None:
            which = f"board {category!r}" if category else "board"
            message = f"No {which} for {request.mode} has ratings here. Name a model instead: GET /openai/v1/models."
            raise ApiError(404, "model_not_found", message, param="model")
        _boards.put((request.mode, category), board)
    return board


def _candidates(key: ApiKey, request: ApiRequest, board: RatedBoard) -> list[_Candidate]:
    """The board's models that can be called for this request with this key; sample models only among themselves."""
    rated = {row.slug: row for row in board.models if not row.is_provisional} or {row.slug: row for row in board.models}
    models = ImageModel.objects.current().filter(slug__in=rated).select_related("lab")
    usable = [model for model in models if key.may_use(model)]
    image_request = request.request()

    def own(offering: Offering) -> ImageRequest:
        return request.preferences.request_for(offering.provider, image_request)

    offerings = {
        pk: [
            offering
            for offering in rows
            if request.preferences.allows(offering.provider)
            and not fit.misfit(own(offering), offering.parameters).is_impossible
        ]
        for pk, rows in routing.candidates_of_many(usable, image_request).items()
    }
    callable_models = [model for model in usable if offerings[model.pk]]
    if any(not model.is_sample for model in callable_models):
        callable_models = [model for model in callable_models if not model.is_sample]
    firsts = [offerings[model.pk][0] for model in callable_models]
    seconds = _seconds(firsts)
    return [
        _Candidate(model, rated[model.slug], routing.estimate(first, own(first)), seconds.get(first.pk))
        for model, first in zip(callable_models, firsts, strict=True)
    ]


def _seconds(offerings: Sequence[Offering]) -> dict[int, float]:
    """The 95th percentile of each offering's time over the last 30 days, where enough calls were measured."""
    rows = Offering.objects.filter(pk__in=[offering.pk for offering in offerings])
    percentiles = {}
    for pk, figures in rows.annotate(figures=summaries.measured()).values_list("pk", "figures"):
        p95 = summaries.of_figures(figures).duration.p95
        if p95 is not None:
            percentiles[pk] = p95.total_seconds()
    return percentiles


def _within(value: Decimal | float | None, limit: float) -> bool:
    return value is not None and float(value) <= limit


def _reason(
    board: RatedBoard, chosen: _Candidate, best: _Candidate, tied: int, passed: int, called: int
) -> dict[str, Any]:
    price = "at an unknown price" if chosen.price is None else f"at ${chosen.price.normalize():f} an image"
    if chosen is best and tied == 1:
        text = f"{chosen.image_model.name} is rated best of the {passed} that pass, {price}."
    elif chosen is best:
        text = f"{chosen.image_model.name} is rated best of the {passed} that pass and the cheapest of {tied} "
        text += f"that the votes do not distinguish from it, {price}."
    else:
        text = f"{chosen.image_model.name} is the cheapest, {price}, of {tied} models that the votes do not "
        text += f"distinguish from the best rated, {best.image_model.name}."
    rated = chosen.rated
    return {
        "leaderboard": board.category,
        "votes": board.votes,
        "place": rated.place,
        "elo": round(rated.elo, 1),
        "lower": round(rated.lower, 1),
        "upper": round(rated.upper, 1),
        "price": None if chosen.price is None else float(chosen.price),
        "p95_seconds": chosen.seconds,
        "best_rated": best.rated.slug,
        "indistinguishable": tied,
        "passed": passed,
        "considered": called,
        "reason": text,
    }
