"""Rows for tests, made the way the site makes them. Every function returns one saved object."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from arena import battles, generation, images, voters, voting
from arena.battles import voter_state
from arena.imports import images as image_import
from arena.models import Battle, Category, Competition, Entry, Generation, Prompt, Voter, VoterProgress
from leaderboard.board import ratings
from providers.files import file_store
from providers.models import Call, ImageModel, Lab, Offering
from providers.request import GeneratedImage
from providers.routing.results import Attempt, DeliveredImage, Generated

_numbers = itertools.count(1)


def make_category(slug: str = "text-to-image", mode: str = "text-to-image", **fields: Any) -> Category:
    defaults = {"name": slug.replace("-", " ").capitalize(), "mode": mode}
    category: Category = Category.everything.get_or_create(slug=slug, defaults=defaults | fields)[0]
    return category


def make_competition(category: Category | None = None, shape: str = "1:1", **fields: Any) -> Competition:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "slug": f"competition-{number}",
        "title": f"Competition {number}",
        "criterion": "how well the picture follows the prompt",
        "is_published": True,
        "unveiling": "always",  # tests of unveiling say otherwise
    }
    fields = {"category": category or make_category(), "shape": shape, **defaults, **fields}
    row: Competition = Competition.objects.create(**fields)
    return row


def make_prompt(competition: Competition | None = None, text: str = "", **fields: Any) -> Prompt:
    competition = competition or make_competition()
    if competition.category.mode == "edit" and "source_image" not in fields:
        fields["source_image"] = ContentFile(images.clean_source(picture("source")), name=f"{next(_numbers):032x}.jpg")
    text = text or f"A red kite, number {next(_numbers)}"
    prompt: Prompt = Prompt.objects.create(competition=competition, text=text, **fields)
    return prompt


def make_model(slug: str = "", name: str | None = None, origin: str = "sample", **fields: Any) -> ImageModel:
    slug = slug or f"sample-{next(_numbers)}"
    image_model: ImageModel = ImageModel.objects.create(
        slug=slug,
        name=name or slug.replace("-", " ").title(),
        origin=origin,
        lab=fields.pop("lab", None)
        or Lab.everything.get_or_create(slug="sample-studio", defaults={"name": "Sample studio"})[0],
        modes=fields.pop("modes", ["text-to-image", "edit"]),
        **fields,
    )
    return image_model


def make_offering(image_model: ImageModel | None = None, provider: str = "simulated-openai", **fields: Any) -> Offering:
    image_model = image_model or make_model()
    defaults: dict[str, Any] = {"mode": "text-to-image", "endpoint": image_model.slug, "price": Decimal("0.01")}
    return Offering.objects.create(image_model=image_model, provider=provider, **defaults | fields)


def make_call(offering: Offering | None = None, **fields: Any) -> Call:
    defaults: dict[str, Any] = {
        "caller": "arena",
        "outcome": "ok",
        "started_at": timezone.now(),
        "duration": timedelta(seconds=1),
    }
    return Call.objects.create(offering=offering or make_offering(), **defaults | fields)


def made(image_model: ImageModel, image: GeneratedImage, call: Call) -> Generated:
    """What routing hands over when a call brought one image."""
    attempt = Attempt(call.offering, number=1, requested=1, delivered=1, outcome="ok", call=call, cost=call.cost)
    return Generated(
        image_model, (DeliveredImage(image, call, "1:1", (image.width, image.height)),), (attempt,), requested=1
    )


def make_generation(prompt: Prompt | None = None, image_model: ImageModel | None = None) -> Generation:
    """A queued generation."""
    prompt, image_model = prompt or make_prompt(), image_model or make_model()
    generation.plan(prompt, [image_model])
    return Generation.objects.get(prompt=prompt, image_model=image_model)


def make_entry(prompt: Prompt | None = None, image_model: ImageModel | None = None) -> Entry:
    """An entry with real files; the rows are as a worker leaves them (a test compares), in a fifth of the time."""
    prompt, image_model = prompt or make_prompt(), image_model or make_model()
    if Generation.objects.filter(prompt=prompt, image_model=image_model).exists():
        return store_by_worker(make_generation(prompt, image_model))
    now = timezone.now()
    row = Generation.objects.create(
        prompt=prompt,
        image_model=image_model,
        status=Generation.Status.SUCCEEDED,
        attempt=1,
        attempts_left=settings.GENERATION_ATTEMPTS - 1,
        started_at=now,
        finished_at=now,
    )
    data, derivatives = _sample(next(_numbers) % 8, prompt.competition.shape)
    entry: Entry = Entry.objects.create(
        generation=row,
        prompt=prompt,
        image_model=image_model,
        call=make_call(_offering_of(image_model)),
        width=derivatives.width,
        height=derivatives.height,
        pipeline=images.PIPELINE,
        **file_store.save(images.files_of(derivatives, data)),
    )
    return entry


def store_by_worker(row: Generation) -> Entry:
    """The entry of a generation that is claimed and stored as a worker does it."""
    claimed = generation.claim(row.pk)
    assert claimed is not None
    data, derivatives = _sample(next(_numbers) % 8, claimed.prompt.competition.shape)
    image = GeneratedImage(data, "image/png", 256, 256)
    generated = made(claimed.image_model, image, make_call(_offering_of(claimed.image_model)))
    entry = generation.store(claimed, generated, derivatives)
    assert entry is not None
    return entry


def _offering_of(image_model: ImageModel) -> Offering:
    return Offering.objects.filter(image_model=image_model).order_by("pk").first() or make_offering(image_model)


def make_imported_entry(prompt: Prompt | None = None, image_model: ImageModel | None = None) -> Entry:
    """An entry with real files that was brought as a file: no call, no offering."""
    prompt, image_model = prompt or make_prompt(), image_model or make_model()
    data = picture(f"imported {next(_numbers)}")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("a.png", data)
    table = f"prompt,model,file\n{prompt.pk},{image_model.slug},a.png\n".encode()
    (row,) = image_import.import_images(archive.getvalue(), table, prompt.competition, "a curator")
    if row.verdict != image_import.ImageVerdict.NEW:
        raise ValueError(row.reason)
    return Entry.everything.get(prompt=prompt, image_model=image_model)


@functools.cache
def _sample(number: int, shape: str) -> tuple[bytes, images.Derivatives]:
    """One of a few pictures, encoded only once: encoding is most of what making an entry costs."""
    data = picture(f"sample {number}")
    return data, images.normalise(data, shape)


@contextmanager
def small_images() -> Iterator[None]:
    """Images with a quarter of the pixels across and down, for tests in which nothing depends on them.

    Encoding them, and decoding them in a browser, is most of what such a test costs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images.box, "__defaults__", (images.LONG_SIDE // 4,))
        patch.setattr(images, "SMALL_PIXELS", images.SMALL_PIXELS // 16)
        patch.setattr(images, "THUMBNAIL_SIDE", images.THUMBNAIL_SIDE // 4)
        _sample.cache_clear()
        yield
    _sample.cache_clear()


def make_voter() -> Voter:
    return Voter.objects.create()


def make_fifty_pairs(**fields: Any) -> Category:
    """A category of five prompts that five models have answered; `fields` are the category's."""
    category = make_category(**fields)
    models = [make_model() for _ in range(5)]
    for _ in range(5):
        prompt = make_prompt(make_competition(category))
        for model in models:
            make_entry(prompt, model)
    return category


def rate(category: Category) -> None:
    """Votes of twelve voters, counted and rated."""
    for number in range(12):
        voter = make_voter()
        for _ in range(6):
            battle = battles.serve(voter, category)
            assert battle is not None
            voting.cast_vote(battle, ("left", "right", "tie", "both_bad")[number % 4])
    ratings.recompute(category)


def make_battle(
    voter: Voter | None = None, left: Entry | None = None, right: Entry | None = None, **fields: Any
) -> Battle:
    left = left or make_entry()
    right = right or make_entry(left.prompt)
    defaults: dict[str, Any] = {
        "prompt": left.prompt,
        "probability": 1.0,
        "expires_at": timezone.now() + timedelta(seconds=settings.BATTLE_LIFETIME),
    }
    battle = Battle.objects.create(voter=voter or make_voter(), left=left, right=right, **defaults | fields)
    category = battle.prompt.competition.category_id
    if voter is None and battle.skipped_at is None:
        VoterProgress.objects.create(voter_id=battle.voter_id, category_id=category, **_of_one(battle))
    else:
        voter_state.rebuild_progress(battle.voter_id, category)
    return battle


def _of_one(battle: Battle) -> dict[str, Any]:
    """A new voter's progress, as a recount finds it (a test compares) with a sixth of the queries."""
    return {"waiting": [battle.pk], "met": struct.pack(">2i", battle.left_id, battle.right_id), "turn": 1}


def cookie_of(voter: Voter) -> str:
    """The cookie value that makes a browser this voter."""
    return signing.dumps(voter.pk, salt="arena.voter")


def sign_in(client: Any, voter: Voter) -> None:
    """Make a Django test client this voter."""
    client.cookies[voters.COOKIE] = cookie_of(voter)


def tokens(response: Any) -> list[str]:
    """The image tokens of the battle that a voting page shows, not of those that come after it."""
    return re.findall(r'id="image-([\w-]+)"', response.content.decode())[:2]


def battle_url(response: Any) -> str:
    """The URL of the battle, or of the ballot's battle to be, on a voting page."""
    match = re.search(r'data-url="(/battles/[^"]+)"', response.content.decode())
    assert match is not None
    return match[1]


def picture(seed: str, width: int = 256, height: int = 256, kind: str = "PNG") -> bytes:
    """A small image whose colours depend on `seed`."""
    digest = hashlib.sha256(seed.encode()).digest()
    image = Image.new("RGB", (width, height), tuple(digest[:3]))
    image.paste(tuple(digest[3:6]), (width // 4, height // 4, width // 2, height // 2))
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()
