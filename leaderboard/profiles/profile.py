"""What a model's page shows, as one value; sections that cost more than they hold are computed when first read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from django.conf import settings
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from arena.models import Category, Entry
from leaderboard.board import standings
from leaderboard.board.register import BestOfVariants, best_of_variants
from leaderboard.board.standings import Standing
from leaderboard.board.translation import translated
from leaderboard.board_page.pictures import RatedImage
from leaderboard.board_page.scatter import UnratedModels
from leaderboard.chooser import catalogue
from leaderboard.model_facts import rights
from leaderboard.model_facts.rights import CommercialUse
from leaderboard.models import Rating
from leaderboard.profiles import head_to_head as matchups
from leaderboard.profiles import notes as standing_notes
from leaderboard.profiles import offerings as sellers
from leaderboard.profiles import opponents, provider_rows, standing_words
from leaderboard.profiles import parameters as reference
from leaderboard.profiles import scatter as landscape
from leaderboard.profiles.competitions import CompetitionResult, TagScore
from leaderboard.profiles.family import family_of
from leaderboard.profiles.faq import Question
from leaderboard.profiles.head_to_head import Matchups
from leaderboard.profiles.notes import StandingNote
from leaderboard.profiles.offerings import Seller
from leaderboard.profiles.opponents import Opponents
from leaderboard.profiles.parameters import Group, Sizes
from leaderboard.profiles.provider_rows import ProviderRow
from leaderboard.profiles.speed import Speed
from leaderboard.profiles.watched import Watched
from leaderboard.rating import verdict as verdicts
from leaderboard.rating.place import Place
from leaderboard.rating.verdict import Verdict
from providers.models import ImageModel
from providers.spending.money import usd
from providers.web.sentence import MidSentence

SIMILAR = 5  # models that the end of the page names


@dataclass(frozen=True, slots=True)
class Failure:
    """Prompts of the arena that the model has not answered, by reason."""

    reason: str
    count: int


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
    watched: Watched  # its newer images against its older ones, its providers against each other, its lab's variants

    @cached_property
    def best_of_variants(self) -> BestOfVariants | None:
        """Where it is the best of several that its lab sent to the board whose charts are shown."""
        standing = next((row for row in self.standings if row.rating.category == self.category), None)
        if standing is None or not isinstance(standing.rating, Rating):
            return None
        return best_of_variants(self.image_model, standing.rating, self.watched.variants)

    @cached_property
    def matchups(self) -> Matchups | None:
        if self.category is None or self.board is None:
            return None
        return matchups.of_model(self.image_model, self.category, self.board)

    @cached_property
    def stage(self) -> tuple[Category, Callable[[], Sequence[Standing]]] | None:
        """The board that its chart shows: its own, or of an unrated model the one on which it would stand."""
        if self.category is not None and self.board is not None:
            return self.category, self.board
        category = Category.objects.filter(mode__in=self.tasks, source_name="", ratings__isnull=False).first()
        return (category, board_of(category)) if category else None

    @property
    def landscape(self) -> SafeString | str:
        """Its board with all others, and what unrated models cost on the axis below."""
        if self.stage is None:
            return ""
        category, board = self.stage
        rated = {row.standing.rating.image_model_id for row in landscape.rows(category, board)}
        known = catalogue.ranks(category.mode)  # which are there once the rows are
        own = self.image_model.pk
        shown = UnratedModels(
            tuple(sorted(price for pk, price in known.prices.items() if pk not in rated)),
            tuple(sorted(time for pk, time in known.times.items() if pk not in rated)),
            None if own in rated else known.prices.get(own),
            None if own in rated else known.times.get(own),
            self.image_model.name,
        )
        return landscape.drawn(category, self.image_model, board, shown)

    @property
    def notes(self) -> list[StandingNote]:
        """Three or four sentences beside the chart."""
        if self.stage is None:
            return []
        category, board = self.stage
        rows = landscape.rows(category, board)
        if self.category is not None:
            return standing_notes.of_rated(self.image_model.slug, rows, self.matchups, self.uses)
        price = catalogue.ranks(category.mode).prices.get(self.image_model.pk)
        prompts = category.board.prompts if hasattr(category, "board") else 0
        cheaper = catalogue.ranks(category.mode).commercial
        others = [(name, url, cost) for name, url, cost in cheaper if price is not None and cost < price]
        return standing_notes.of_unrated(rows, price, prompts or 0, others)

    @property
    def alias(self) -> str:
        """The id without dots, which programs write, too; "" where it is the same."""
        dashed = self.image_model.slug.replace(".", "-")
        return dashed if dashed != self.image_model.slug else ""

    @property
    def siblings(self) -> list[tuple[str, str]]:
        """Name and slug of the lab's other models."""
        rows = getattr(self.image_model, "siblings", None) or []
        return [(row["name"], row["slug"]) for row in rows if row["slug"] != self.image_model.slug]

    @property
    def family(self) -> str:
        """What the lab's other models of the kind are called by, too; "" where it is the only one."""
        own = family_of(self.image_model.name)
        return own if any(family_of(name) == own for name, _ in self.siblings) else ""

    @property
    def similar(self) -> list[tuple[str, str]]:
        """Other models of the lab, its own family first."""
        own = family_of(self.image_model.name)
        return sorted(self.siblings, key=lambda row: (family_of(row[0]) != own, row[0]))[:SIMILAR]

    @property
    def tags(self) -> list[str]:
        tags = {
            gettext("open weights"): self.image_model.open_weights,
            gettext("edits images"): "edit" in self.tasks,
            gettext("multi-reference"): self._most_sources not in (None, 1),
        }
        return [tag for tag, has in tags.items() if has]

    @property
    def inputs(self) -> str:
        """text · text + up to 5 images · images"""
        most = self._most_sources
        images = {None: "", 0: gettext("any number of images"), 1: gettext("an image")}.get(
            most, gettext("up to %(n)s images") % {"n": most}
        )
        text = gettext("text") if "text-to-image" in self.tasks else ""
        return " + ".join(filter(None, (text, images)))

    @property
    def verdict(self) -> Verdict:
        """The headline: where it stands on the board whose charts are shown."""
        standing = next((row for row in self.standings if row.rating.category == self.category), None)
        if standing is None:
            return self._unrated()
        assert self.board is not None
        place, category = standing.place, MidSentence(standing.rating.category.name)
        if not place.is_known:
            return verdicts.of_unplaced(category, standing.rating.votes)
        level = [
            row.rating.image_model.name
            for row in self.board()
            if row.rating.image_model_id != self.image_model.pk and _overlap(row.place, place)
        ]
        return verdicts.of_model(place, category, level)

    def _unrated(self) -> Verdict:
        released = self.image_model.released_on
        month = date_format(released, "YEAR_MONTH_FORMAT") if released else ""
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
        return standing_words.of_places(self.image_model.name, self.standings, self.voted)

    @property
    def can_be_tried(self) -> bool:
        """Whether this site has a key for one of its providers; without one no request of this site can reach it."""
        return any(settings.PROVIDERS.get(seller.provider, {}).get("api_key") for seller in self.sellers)

    @property
    def strip(self) -> Sequence[RatedImage]:
        """The five under its name, where they are cut to squares: posters only where there are too few others."""
        return sorted(self.pictures, key=lambda picture: picture.is_poster)[:5]

    @cached_property
    def extremes(self) -> Opponents:
        """Its two best and two worst results, and the images that they met."""
        best = [picture for picture in self.pictures if picture.share >= 0.5][:2]
        return opponents.of_results([*best, *[picture for picture in self.pictures if picture not in best][-2:]])

    @property
    def commercial(self) -> CommercialUse:
        return rights.of_licence(self.image_model.licence)

    @property
    def _most_sources(self) -> int | None:
        """How many source images an edit may have; 0 is any number, None a model that does not edit."""
        edits = [
            seller.offering.parameters.get("images") or {} for seller in self.sellers if seller.offering.mode == "edit"
        ]
        if not edits:
            return None
        return max(images.get("max", 0) if images.get("list") else 1 for images in edits)

    @property
    def source_images(self) -> str:
        """The same in words; "" for a model that does not edit."""
        most = self._most_sources
        if most is None:
            return ""
        return gettext("up to %(n)s") % {"n": most} if most > 1 else "1" if most else gettext("any number")

    @property
    def provider_rows(self) -> list[ProviderRow]:
        return provider_rows.of_sellers(self.sellers, self.speed, self.tasks)

    @property
    def parameter_names(self) -> str:
        """The first of them, for a line that folds the reference."""
        names = [line.name for group in self.groups for line in group.lines]
        return ", ".join(names[:4]) + (f" … {len(names)}" if len(names) > 4 else "")

    @property
    def summary(self) -> str:
        """The page in a sentence or two, for search results and shared links."""
        name, lab = self.image_model.name, self.image_model.lab
        title = gettext("%(name)s by %(lab)s") % {"name": name, "lab": lab.name} if lab else name
        price = gettext("From %(price)s an image.") % {"price": usd(self.cheapest.price)} if self.cheapest else ""
        rest = gettext("Results, providers, parameters and code.")
        return " ".join(filter(None, (f"{title}:", translated(self.verdict.claim), price, rest)))

    @property
    def missing(self) -> str:
        """What there is nothing to show of yet, in one line; "" where nothing is missing."""
        gaps = [
            gettext("no votes") if not self.standings else "",
            gettext("no images") if not self.gallery else "",
            # Of a rated model the fact at the top says it.
            gettext("no requests in 30 days") if self.sellers and not self.speed.rows and not self.standings else "",
            gettext("no known provider") if not self.sellers else "",
        ]
        gaps = list(filter(None, gaps))
        return gettext("Nothing yet: %(gaps)s.") % {"gaps": ", ".join(gaps)} if gaps else ""

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


def board_of(category: Category) -> Callable[[], Sequence[Standing]]:
    """The category's board, asked for once however many sections need it."""
    return cache(lambda: standings.board(category))


def _overlap(one: Place, other: Place) -> bool:
    """Whether two places of a board share a rank."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high
