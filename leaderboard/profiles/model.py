"""A model's page as one value: each section asked once, in a number of queries that no amount of data changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isfinite

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy

from arena.models import Category, Generation
from leaderboard import charts
from leaderboard.board import history as records
from leaderboard.board import place_words
from leaderboard.board.standings import Standing
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.models import Rating
from leaderboard.profiles import competitions, speed, watched
from leaderboard.profiles import faq as questions
from leaderboard.profiles import offerings as sellers
from leaderboard.profiles import parameters as reference
from leaderboard.profiles.offerings import Seller
from leaderboard.profiles.parameters import Sizes
from leaderboard.profiles.profile import Failure, Profile, board_of
from leaderboard.profiles.speed import Speed
from providers.models import ImageModel
from providers.spending.money import usd


def of_model(
    image_model: ImageModel,
    base_url: str,
    board: str = "",
    hidden: Collection[int] = (),
    places: Sequence[Standing] | None = None,
) -> Profile:
    """`board` is the slug of the category to show charts of, if the model is rated there; `places` if already read."""
    places = places_of(image_model) if places is None else places
    category = next((standing.rating.category for standing in places if standing.rating.category.slug == board), None)
    if category is None and places:
        category = places[0].rating.category
    entries = competitions.entries_of(image_model)
    sold = sellers.of_model(image_model)
    measured = speed.of_sellers(sold)
    sources = reference.text_of(
        reference.Source(seller.name, seller.offering.mode, seller.offering.parameters) for seller in sold
    )
    takes = reference.of_text(sources)
    counts = outcomes(image_model)
    answered = counts.pop("", 0)
    results, uses, images = competitions.results_and_uses(image_model, entries, hidden)
    return Profile(
        image_model=image_model,
        standings=places,
        category=category,
        board=board_of(category) if category else None,
        results=results,
        uses=uses,
        gallery=competitions.shown(entries, hidden),
        pictures=images,
        sellers=sold,
        cheapest=sellers.cheapest(sold),
        speed=measured,
        failures=[Failure(_outcome(reason), n) for reason, n in sorted(counts.items())],
        answered=answered,
        sources=sources,
        groups=takes.groups,
        sizes=takes.sizes,
        questions=questions.answered(_known(image_model, base_url, places, sold, measured, takes.sizes)),
        watched=watched.of_model(image_model, category),
    )


# How a generation fails: `providers.errors.OUTCOMES`, and those of the arena itself.
_OUTCOMES = {
    "account": gettext_lazy("account"), "auth": gettext_lazy("key refused"), "bad_output": gettext_lazy("bad output"),
    "billing": gettext_lazy("billing"), "cancelled": gettext_lazy("cancelled"),
    "content_policy": gettext_lazy("content policy"), "input_unreachable": gettext_lazy("input unreachable"),
    "invalid_request": gettext_lazy("invalid request"), "network": gettext_lazy("network"),
    "not_found": gettext_lazy("not found"), "provider_error": gettext_lazy("provider error"),
    "rate_limited": gettext_lazy("rate limited"), "spend_cap": gettext_lazy("spend cap"),
    "store": gettext_lazy("not stored"), "timeout": gettext_lazy("timeout"),
}  # fmt: skip


def _outcome(reason: str) -> str:
    return str(_OUTCOMES.get(reason, reason.replace("_", " ")))


def outcomes(image_model: ImageModel) -> dict[str, int]:
    """How its finished generations ended; "" is an image."""
    if not hasattr(image_model, "outcomes"):  # else they came in the query that found the model
        image_model = with_outcomes(ImageModel.objects.all()).get(pk=image_model.pk)
    return {outcome["outcome"]: outcome["n"] for outcome in image_model.outcomes}  # type: ignore[attr-defined]  # annotated


def with_outcomes(image_models: QuerySet[ImageModel]) -> QuerySet[ImageModel]:
    """With how its generations ended and which models its lab has, read in the query that finds it."""
    done = Generation.objects.filter(image_model=OuterRef("pk"), status__in=["succeeded", "failed"]).order_by()
    counted = done.values("outcome").annotate(n=Count("*"))
    kin = ImageModel.objects.current().filter(lab=OuterRef("lab")).order_by("name")
    return image_models.annotate(
        outcomes=ArraySubquery(counted.values(row=JSONObject(outcome="outcome", n="n"))),
        siblings=ArraySubquery(kin.values(row=JSONObject(name="name", slug="slug"))),
    )


def places_of(image_model: ImageModel) -> list[Standing]:
    """The model's place on every board, boards with votes cast here before boards of imported votes, and of these
    those where it has a place first. One query."""
    rated = Rating.objects.filter(category=OuterRef("category")).order_by().values("category")
    of = Subquery(rated.annotate(n=Count("*")).values("n"))
    ratings = list(image_model.ratings.select_related("category__board").annotate(of=of))
    ratings.sort(key=_order)
    return [Standing(rating, rating.of) for rating in ratings]


def _order(rating: Rating) -> tuple[bool, bool, int, str]:
    category = rating.category
    return bool(category.source_name), not rating.is_placed, category.position, category.name


def _known(
    image_model: ImageModel,
    base_url: str,
    places: Sequence[Standing],
    sold: Sequence[Seller],
    measured: Speed,
    sizes: Sizes,
) -> questions.Known:
    cheapest, fastest = sellers.cheapest(sold), measured.fastest
    return questions.Known(
        name=image_model.name,
        model_id=image_model.slug,
        base_url=base_url,
        price=cheapest.price if cheapest else None,
        price_text=usd(cheapest.price) if cheapest else "",
        price_provider=cheapest.name if cheapest else "",
        price_estimated=bool(cheapest and cheapest.offering.price_estimated),
        sellers=sellers.names(sold),
        largest=sizes.largest,
        seconds=fastest.p50 if fastest else None,
        seconds_provider=fastest.name if fastest else "",
        licence=image_model.licence,
        open_weights=None if image_model.origin == ImageModel.Origin.IMPORTED else image_model.open_weights,
        # More than three are a list, no sentence.
        places=[_place(standing) for standing in places if standing.half_width is not None][:3],
        edits=any(seller.offering.mode == "edit" for seller in sold),
        sample=image_model.is_sample,
    )


def _place(standing: Standing) -> str:
    rating = standing.rating
    wider = max(rating.upper - rating.elo, rating.elo - rating.lower)
    plus = f" ±{wider:.0f}" if isfinite(wider) else ""
    return gettext("%(place)s in %(category)s with an Elo of %(elo)s") % {
        "place": place_words.text(standing.place), "category": rating.category.name, "elo": f"{rating.elo:.0f}{plus}",
    }  # fmt: skip


LATEST = 30  # snapshots in the table: a month of days


@dataclass(frozen=True, slots=True)
class EloHistory:
    """The model's Elo in the daily snapshots of a category, as a chart in both frames; None with fewer than two.

    `latest` are the last of them for the table below, newest first.
    """

    wide: charts.History | None
    narrow: charts.History | None
    latest: tuple[records.EloPoint, ...]
    of: int


def history(image_model: ImageModel, category: Category) -> EloHistory:
    """The model's Elo over the weeks as chart and table, cached for ten minutes or until the board changes."""
    return get_or_compute(
        "history and table",
        version(category),
        image_model.pk,
        seconds=10 * MINUTE,
        compute=lambda: _history(records.history(image_model, category), image_model.name),
    )


def _history(points: Sequence[records.EloPoint], name: str) -> EloHistory:
    series = [charts.Series(name, [charts.Moment(p.taken_at, p.elo, p.lower, p.upper) for p in points])]
    return EloHistory(
        charts.history(series, charts.WIDE),
        charts.history(series, charts.NARROW),
        tuple(reversed(points[-LATEST:])),
        len(points),
    )


def parameters(profile: Profile) -> SafeString:
    """The parameter reference as HTML: half of the page, and the same until an offering changes."""
    return get_or_compute(
        "parameters",
        profile.sources,
        get_language(),
        seconds=10 * MINUTE,
        compute=lambda: render_to_string("leaderboard/model/_parameters.html", {"profile": profile}),
    )
