"""Playing the voter: many battles through real HTTP, everything recorded, the truth read from the database afterwards.

Nothing is voted: every battle ends with a skip, which counts for nothing, and in the end the audit's voters and their
battles are deleted. Its own battles – nobody else's – are also made to expire, to see that their URLs die.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from arena import images
from arena.models import Battle, Category, Entry, Prompt, Voter, VoterProgress

from . import markup
from .browser import Browser
from .observed import Answer, Reference, Refused, Shown, ShownSide

AGAIN = 2  # further fetches of each image, for times without the first one's luck
_PROBES = {
    "HEAD": ("HEAD", {}),
    "range": ("GET", {"Range": "bytes=0-99"}),
    "condition": ("GET", {"If-None-Match": "*", "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
}
_GONE = frozenset({404, 410})
_UNKNOWN_TOKEN = "AAAAAAAAAAAAAAAAAAAAAA"  # noqa: S105 – a URL that never was
_references: dict[
    tuple[str, str], dict[str, Reference]
] = {}  # by original and shape: making one takes a third of a second


class CannotPlay(Exception):
    """The site did not let the audit play; the message says what it answered."""


class Player:
    """Battles of one category after another, with as many voters as their pairs last."""

    def __init__(self, base_url: str, seed: int = 0) -> None:
        self.base_url = base_url
        self.voters: set[int] = set()
        self._random = random.Random(seed)  # noqa: S311 – which side is fetched first
        self._public: dict[int, frozenset[str]] = {}
        self._stranger = Browser(base_url, {})  # somebody who is asked about nothing
        self._static: dict[str, Answer] = {}
        self._ahead: dict[str, Answer] = {}  # images of later battles that a page had the browser load already
        self._bodies: dict[bytes, bytes] = {}  # equal bodies are stored once: an entry is shown in many battles
        self._chrome = self._stranger.get("/no-such-page/").body.decode("utf-8", "replace")

    def play(self, category: Category, count: int, closely: int = 2) -> Iterator[Shown]:
        """Up to `count` battles, the first `closely` of them with everything that must be refused."""
        innocent = self._innocent(category)
        made = 0
        while made < count:
            with Browser(self.base_url, self._bodies) as browser:
                before = made
                while made < count and (shown := self._battle(browser, category, innocent, made < closely)):
                    made += 1
                    yield shown
            if made == before:
                return

    def _innocent(self, category: Category) -> str:
        """What every page says anyway, whatever models stand on it."""
        prompts = Prompt.everything.filter(competition__category=category).select_related("competition")
        words = [
            f"{prompt.text} {prompt.source_credit} {prompt.competition.title} {prompt.competition.criterion}"
            for prompt in prompts
        ]
        return "\n".join([self._chrome, category.name, category.slug, *words])

    def _battle(self, browser: Browser, category: Category, innocent: str, closely: bool) -> Shown | None:
        arena = reverse("arena:arena", args=[category.slug])
        entrance = browser.get(arena)
        if entrance.status != 200:
            raise CannotPlay(f"GET {arena} answered {entrance.status}: {entrance.body[:200]!r}")
        url = markup.battle_url(entrance.body.decode("utf-8", "replace"))
        if not url:
            return None  # this voter has seen every pair
        page = browser.get(url)
        if page.status != 200:
            raise CannotPlay(f"GET {url} answered {page.status}: {page.body[:200]!r}")
        battle = _battle_row(UUID(url.split("/")[2]))
        self.voters.add(battle.voter_id)
        text = page.body.decode("utf-8", "replace")
        self._load(browser, text, battle)
        others = [answer for answer in browser.take_answers() if answer is not page]
        sides = {place: self._side(browser, battle, place) for place in self._random.sample(("left", "right"), 2)}
        browser.take_answers()  # they are in the sides
        shown = Shown(
            prompt=str(battle.prompt_id),
            box=images.box(battle.prompt.competition.shape),
            page=page,
            left=sides["left"],
            right=sides["right"],
            innocent=innocent,
        )
        if closely:
            shown = self._look_closely(browser, battle, shown, markup.field_value(text, "csrfmiddlewaretoken"))
            browser.take_answers()
        shown = replace(shown, others=(*others, *browser.take_answers()))
        VoterProgress.objects.filter(voter=battle.voter).update(skips=0, skips_in_row=0)  # whose limits are for voters
        skip = reverse("arena:skip", args=[battle.pk])
        skipped = browser.post(skip, {"csrfmiddlewaretoken": markup.field_value(text, "csrfmiddlewaretoken")})
        if skipped.status not in (200, 302):
            raise CannotPlay(f"POST {skip} answered {skipped.status}: {skipped.body[:200]!r}")
        return shown

    def _load(self, browser: Browser, page: str, battle: Battle) -> None:
        """What a browser loads by itself, but for the two images; files that never change only once."""
        for url in markup.loaded(page):
            path = urlsplit(urljoin("/", url)).path
            if battle.left_token in path or battle.right_token in path:
                continue
            if path.startswith("/i/"):
                self._ahead[path] = self._ahead.get(path) or browser.get(path)
            elif path.startswith(("/static/", "/images/")):
                if path not in self._static:
                    self._static[path] = browser.get(path)
            else:
                browser.get(path)

    def _side(self, browser: Browser, battle: Battle, place: str) -> ShownSide:
        entry: Entry = getattr(battle, place)
        token: str = getattr(battle, f"{place}_token")
        large, small = (reverse(f"arena:{name}", args=[token]) for name in ("image", "small-image"))
        return ShownSide(
            place=place,
            token=token,
            model=entry.image_model.slug,
            image=str(entry.pk),
            pictures={
                "large": self._ahead.pop(large) if large in self._ahead else browser.get(large),
                "small": self._ahead.pop(small) if small in self._ahead else browser.get(small),
            },
            again=tuple(browser.get(large) for _ in range(AGAIN)),
            probes={name: browser.get(large, headers, method) for name, (method, headers) in _PROBES.items()},
            references=_reference(entry, battle.prompt.competition.shape),
            public=self._shown_publicly(entry),
        )

    def _shown_publicly(self, entry: Entry) -> frozenset[str]:
        """Digests of what anybody can have of this entry, the original included."""
        if entry.pk not in self._public:
            urls = [
                reverse("arena:public-image", args=[entry.thumbnail.name]),
                f"{entry.get_absolute_url()}original",
            ]
            self._public[entry.pk] = frozenset(self._stranger.get(url).sha256 for url in urls)
        return self._public[entry.pk]

    # What must be refused ────────────────────────────────────────────────────────────────────────────────────────────

    def _look_closely(self, browser: Browser, battle: Battle, shown: Shown, csrf: str) -> Shown:
        named = tuple(self._named(browser, battle))
        refused = list(self._entries(browser, battle))
        vote = reverse("arena:vote", args=[battle.pk])
        answer = browser.post(vote, {"csrfmiddlewaretoken": csrf, "outcome": "neither"})
        refused.append(Refused("a vote for an outcome that does not exist", answer, frozenset({400})))
        nothing = browser.get(reverse("arena:image", args=[_UNKNOWN_TOKEN]))
        refused.append(Refused("an image that never was", nothing, _GONE))
        old = timezone.now() - timedelta(hours=1)
        Battle.objects.filter(pk=battle.pk).update(served_at=old, expires_at=old + timedelta(minutes=1))
        for token, name in ((battle.left_token, "left"), (battle.right_token, "right")):
            for kind in ("image", "small-image"):
                answer = browser.get(reverse(f"arena:{kind}", args=[token]))
                refused.append(Refused(f"the {name} image after its time", answer, _GONE, nothing.body))
        answer = browser.post(vote, {"csrfmiddlewaretoken": csrf, "outcome": "left"})
        refused.append(Refused("a vote after the battle's time", answer, frozenset({409, 410})))
        refused.append(
            Refused("its page after its time", browser.get(battle.get_absolute_url()), frozenset({200, 302, 410}))
        )
        return replace(shown, refused=tuple(refused), named=named)

    def _named(self, browser: Browser, battle: Battle) -> Iterator[tuple[str, str]]:
        """Public pages as this voter sees them: none may show an image of the prompt beside a name."""
        files = list(battle.prompt.entries.values_list("thumbnail", flat=True))
        pages = [battle.prompt.competition.get_absolute_url()]
        models = [side.image_model for side in (battle.left, battle.right)]
        pages += [model.get_absolute_url() for model in models]
        pages += [f"/compare/{'/'.join(sorted(model.slug for model in models))}/"]
        for url in pages:
            answer = browser.get(url)
            if answer.status in (301, 302):
                answer = browser.get(answer.header("location"))
            text = answer.body.decode("utf-8", "replace")
            yield from ((url, file) for file in files if file in text)

    def _entries(self, browser: Browser, battle: Battle) -> Iterator[Refused]:
        """Every entry of the prompt is refused with the same words, so that the two do not stand out: those of a page
        in the reader's language, those of a file in English."""
        twins: dict[str, bytes] = {}
        for entry in battle.prompt.entries.order_by("pk"):
            for file in ("", "original"):
                url = f"{entry.get_absolute_url()}{file}"
                answer = browser.get(url)
                yield Refused(f"{url} while its prompt is asked about", answer, frozenset({403, 404}), twins.get(file))
                twins.setdefault(file, answer.body)

    def leave_no_trace(self) -> None:
        """Delete the audit's voters and their battles, none of which was voted on."""
        self._stranger.__exit__(None, None, None)
        with transaction.atomic():
            Battle.objects.filter(voter__in=self.voters, vote=None).delete()
            Voter.objects.filter(pk__in=self.voters, votes=None, battles=None).delete()


def _battle_row(pk: UUID) -> Battle:
    related = ("left__image_model", "right__image_model", "prompt__competition")
    return Battle.objects.select_related(*related).get(pk=pk)


def _reference(entry: Entry, shape: str) -> dict[str, Reference]:
    with entry.original.open("rb") as file:
        data = file.read()
    key = hashlib.sha256(data).hexdigest(), shape
    if key not in _references:
        made = images.normalise(data, shape)
        _references[key] = {
            name: Reference(len(made_one), hashlib.sha256(made_one).hexdigest())
            for name, made_one in (("large", made.image), ("small", made.small))
        }
    return _references[key]


def names_of(category: Category) -> dict[str, set[str]]:
    """Meaning → texts: everything that names a model with images in the category, its lab, its seller, its files."""
    texts: dict[str, set[str]] = {}
    related = ("image_model__lab", "call__offering")
    for entry in Entry.everything.filter(prompt__competition__category=category).select_related(*related):
        model = entry.image_model
        texts.setdefault(f"name of {model.name}", set()).update({model.name, model.slug, model.get_absolute_url()})
        if model.lab is not None:
            texts.setdefault(f"lab of {model.name}", set()).update({model.lab.name, model.lab.slug})
        if entry.call is not None:
            offering = entry.call.offering
            texts.setdefault(f"provider of {model.name}", set()).update({offering.provider, offering.endpoint})
            texts.setdefault(f"provider's request of entry {entry.pk}", set()).add(entry.call.provider_request_id)
        files = (entry.image, entry.small, entry.thumbnail, entry.original)
        paths = {str(file.name) for file in files}
        stems = {path.rpartition("/")[2].partition(".")[0] for path in paths}
        texts.setdefault(f"file of entry {entry.pk}", set()).update(stems | paths)
        texts.setdefault(f"page of entry {entry.pk}", set()).add(entry.get_absolute_url())
    return texts
