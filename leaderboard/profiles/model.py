"""A model's page as one value: each section asked once, in a number of queries that no amount of data changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from math import isfinite

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from arena.models import Category, Entry, Generation
from leaderboard import charts, rights
from leaderboard.board import history as records
from leaderboard.board import standings
from leaderboard.board.standings import Standing
from leaderboard.board_page.pictures import RatedImage
from leaderboard.cache import MINUTE, get_or_compute, version
from leaderboard.chooser import catalogue
from leaderboard.models import Rating
from leaderboard.profiles import competitions, speed
from leaderboard.profiles import faq as questions
from leaderboard.profiles import head_to_head as matchups
from leaderboard.profiles import offerings as sellers
from leaderboard.profiles import parameters as reference
from leaderboard.profiles import scatter as landscape
from leaderboard.profiles.competitions import CompetitionResult, TagScore
from leaderboard.profiles.faq import Question
from leaderboard.profiles.head_to_head import Matchups
from leaderboard.profiles.offerings import Past, Seller
from leaderboard.profiles.parameters import Group, Sizes
from leaderboard.profiles.speed import Speed, SpeedRow
from leaderboard.rating import verdict as verdicts
from leaderboard.rating.place import Place
from leaderboard.rating.verdict import Verdict
from leaderboard.rights import CommercialUse
from providers.models import ImageModel
from providers.offering.pricing import usd


@dataclass(frozen=True, slots=True)
class Failure:
    """Prompts of the arena that the model has not answered, by reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider of the model: its offerings, those by the page's modes (None: not offered), and its speed."""

    sellers: Sequence[Seller]
    by_mode: Sequence[Seller | None]
    speed: SpeedRow | None

    @property
    def provider(self) -> str:
        return self.sellers[0].provider

    @property
    def name(self) -> str:
        return self.sellers[0].name

    @property
    def model_id(self) -> str:
        return self.sellers[0].model_id

    @property
    def is_simulated(self) -> bool:
        return self.sellers[0].is_simulated

    @property
    def endpoints(self) -> list[str]:
        """The provider's own ids."""
        return list(dict.fromkeys(seller.offering.endpoint for seller in self.sellers))

    @property
    def price_source(self) -> str:
        return self.sellers[0].offering.price_source

    @property
    def price_seen_on(self) -> date | None:
        return self.sellers[0].offering.price_seen_on

    @property
    def past(self) -> Sequence[Past]:
        return [past for seller in self.sellers for past in seller.past]


@dataclass(frozen=True)
class Profile:
    image_model: ImageModel
    standings: Sequence[Standing]
    category: Category | None  # the board whose charts and matchups are shown
    board: Callable[[], Sequence[Standing]] | None  # the whole of it, read when first asked for
    results: Sequence[CompetitionResult]
    uses: Sequence[TagScore]
    gallery: Sequence[Entry]  # without those that this reader is asked about
    pictures: Sequence[RatedImage]  # the most preferred first, then the least
    sellers: Sequence[Seller]
    cheapest: Seller | None
    speed: Speed
    failures: Sequence[Failure]
    answered: int
    sources: str  # what the next two are made from
    groups: Sequence[Group]
    sizes: Sizes
    questions: Sequence[Question]

    @cached_property
    def matchups(self) -> Matchups | None:
        if self.category is None or self.board is None:
            return None
        return matchups.of_model(self.image_model, self.category, self.board)

    @property
    def landscape(self) -> SafeString | str:
        """Its board with all others; of an unrated model the board on which it would stand."""
        if self.category is not None and self.board is not None:
            return landscape.drawn(self.category, self.image_model, self.board)
        category = Category.objects.filter(mode__in=self.tasks, source_name="", ratings__isnull=False).first()
        return landscape.drawn(category, self.image_model, board_of(category)) if category else ""

    @property
    def verdict(self) -> Verdict:
        """The headline: where it stands on the board whose charts are shown."""
        standing = next((row for row in self.standings if row.rating.category == self.category), None)
        if standing is None or not standing.place.is_known:
            return self._unrated()
        assert self.board is not None
        place, category = standing.place, standing.rating.category.name
        level = [
            row.rating.image_model.name
            for row in self.board()
            if row.rating.image_model_id != self.image_model.pk and _overlap(row.place, place)
        ]
        return verdicts.of_model(place, category[:1].lower() + category[1:], level)

    def _unrated(self) -> Verdict:
        released = self.image_model.released_on
        month = f"{released:%B %Y}" if released else ""
        if not self.tasks or self.image_model.is_sample:
            return verdicts.of_unrated(released=month)
        ranks = catalogue.ranks(self.tasks[0])
        return verdicts.of_unrated(
            price_rank=ranks.price.get(self.image_model.pk),
            priced=len(ranks.price),
            speed_rank=ranks.seconds.get(self.image_model.pk),
            timed=len(ranks.seconds),
            released=month,
        )

    @property
    def benchmarks(self) -> str:
        """The places and what they rest on, in two sentences; "" for a model without ratings."""
        shown, more = self.standings[:3], len(self.standings) - 3
        if not shown:
            return ""
        places = [
            f"{row.place} in {row.rating.category.name} with an Elo of {row.rating.elo:.0f}"
            + (f" ({row.rating.lower:.0f}–{row.rating.upper:.0f})" if row.place.is_known else "")
            for row in shown
        ]
        votes = [f"{row.rating.votes:,} votes in {row.rating.category.name}" for row in shown]
        rest = f" and rated in {more} more categories" if more > 0 else ""
        based = f"{verdicts.counted(self.voted, 'blind-vote competition')}" if self.voted else "imported votes"
        return (
            f"{self.image_model.name} is {verdicts.both(places)}{rest}, where people pick the better of two images "
            f"without knowing whose they are. Based on {based}: {', '.join(votes)}{' and more' if more > 0 else ''}."
        )

    @property
    def can_be_tried(self) -> bool:
        """Whether this site has a key for one of its providers; without one no request of this site can reach it."""
        return any(settings.PROVIDERS.get(seller.provider, {}).get("api_key") for seller in self.sellers)

    @property
    def extremes(self) -> Sequence[RatedImage]:
        """Its two best and two worst results."""
        best = [picture for picture in self.pictures if picture.share >= 0.5][:2]
        return [*best, *[picture for picture in self.pictures if picture not in best][-2:]]

    @property
    def commercial(self) -> CommercialUse:
        return rights.of_licence(self.image_model.licence)

    @property
    def source_images(self) -> str:
        """How many source images an edit may have; "" for a model that does not edit."""
        edits = [
            seller.offering.parameters.get("images") or {} for seller in self.sellers if seller.offering.mode == "edit"
        ]
        if not edits:
            return ""
        most = max(images.get("max", 0) if images.get("list") else 1 for images in edits)
        return f"up to {most}" if most > 1 else "any number" if not most else "1"

    @property
    def provider_rows(self) -> list[ProviderRow]:
        """One for each provider, in the order of its cheapest offering."""
        modes = self.tasks
        grouped: dict[str, list[Seller]] = {}
        for seller in self.sellers:
            grouped.setdefault(seller.provider, []).append(seller)
        return [
            ProviderRow(
                tuple(sold),
                [next((seller for seller in sold if seller.offering.mode == mode), None) for mode in modes],
                next((row for row in self.speed.rows if row.provider == provider), None),
            )
            for provider, sold in grouped.items()
        ]

    @property
    def parameter_names(self) -> str:
        """The first of them, for a line that folds the reference."""
        names = [line.name for group in self.groups for line in group.lines]
        return ", ".join(names[:4]) + (f" … {len(names)}" if len(names) > 4 else "")

    @property
    def summary(self) -> str:
        """The page in a sentence or two, for search results and shared links."""
        lab = f" by {self.image_model.lab.name}" if self.image_model.lab else ""
        price = f" From {usd(self.cheapest.price)} an image." if self.cheapest else ""
        return f"{self.image_model.name}{lab}: {self.verdict.claim}{price} Results, providers, parameters and code."

    @property
    def missing(self) -> str:
        """What there is nothing to show of yet, in one line; "" where nothing is missing."""
        gaps = [
            "votes" if not self.standings else "",
            "images" if not self.gallery else "",
            "requests in 30 days" if self.sellers and not self.speed.rows else "",
            "known provider" if not self.sellers else "",
        ]
        gaps = list(filter(None, gaps))
        return f"Nothing yet: {', '.join(f'no {gap}' for gap in gaps)}." if gaps else ""

    @property
    def voted(self) -> int:
        """In how many competitions it has votes."""
        return sum(bool(result.score.votes) for result in self.results)

    @property
    def seller_names(self) -> list[str]:
        return sellers.names(self.sellers)

    @property
    def estimated(self) -> bool:
        return any(seller.offering.price_estimated for seller in self.sellers)

    @property
    def behaviours(self) -> list[tuple[str, str, str, list[str]]]:
        return reference.behaviours(self.groups)

    @property
    def tasks(self) -> Sequence[str]:
        """Modes in which it can be asked."""
        return list(dict.fromkeys(seller.offering.mode for seller in self.sellers))


def of_model(image_model: ImageModel, base_url: str, board: str = "", hidden: Collection[int] = ()) -> Profile:
    """`board` is the slug of the category to show charts of, if the model is rated there."""
    places = places_of(image_model)
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
        failures=[Failure(reason.replace("_", " "), n) for reason, n in sorted(counts.items())],
        answered=answered,
        sources=sources,
        groups=takes.groups,
        sizes=takes.sizes,
        questions=questions.answered(_known(image_model, base_url, places, sold, measured, takes.sizes)),
    )


def board_of(category: Category) -> Callable[[], Sequence[Standing]]:
    """The category's board, asked for once however many sections need it."""
    return cache(lambda: standings.board(category))


def outcomes(image_model: ImageModel) -> dict[str, int]:
    """How its finished generations ended; "" is an image."""
    if not hasattr(image_model, "outcomes"):  # else they came in the query that found the model
        image_model = with_outcomes(ImageModel.objects.all()).get(pk=image_model.pk)
    return {outcome["outcome"]: outcome["n"] for outcome in image_model.outcomes}  # type: ignore[attr-defined]  # annotated


def with_outcomes(image_models: QuerySet[ImageModel]) -> QuerySet[ImageModel]:
    done = Generation.objects.filter(image_model=OuterRef("pk"), status__in=["succeeded", "failed"]).order_by()
    counted = done.values("outcome").annotate(n=Count("*"))
    return image_models.annotate(outcomes=ArraySubquery(counted.values(row=JSONObject(outcome="outcome", n="n"))))


def places_of(image_model: ImageModel) -> list[Standing]:
    """The model's place on every board, boards with votes cast here before boards of imported votes. One query."""
    rated = Rating.objects.filter(category=OuterRef("category")).order_by().values("category")
    of = Subquery(rated.annotate(n=Count("*")).values("n"))
    ratings = list(image_model.ratings.select_related("category__board").annotate(of=of))
    ratings.sort(key=lambda rating: (bool(rating.category.source_name), rating.category.position, rating.category.name))
    return [Standing(rating, rating.of) for rating in ratings]


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
    return f"{standing.place} in {rating.category.name} with an Elo of {rating.elo:.0f}{plus}"


def _overlap(one: Place, other: Place) -> bool:
    """Whether two places of a board share a rank."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


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
        seconds=10 * MINUTE,
        compute=lambda: render_to_string("leaderboard/model/_parameters.html", {"profile": profile}),
    )
