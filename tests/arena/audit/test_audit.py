"""The audit on a site over real HTTP: blind as shipped, and caught with every kind of leak planted for real."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from arena.audit import play
from arena.models import Battle, Entry, Vote, Voter
from tests import factories as make

from . import leaks

pytestmark = pytest.mark.django_db(transaction=True)

# Battles: a rule can be seen broken in one, a classifier needs some to be sure.
FEW, MANY = 1, 20
MORE = 30  # where one leak hides another: larger files explain some of a delay, and a guess or two go wrong


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level("ERROR", logger="django.request")


@pytest.fixture(autouse=True)
def _small_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(play, "_references", {})
    with make.small_images():
        yield


def fill(prompts: int) -> None:
    """Two models answer the same prompts; one of them is the one to be betrayed."""
    competition = make.make_competition()
    models = [make.make_model(leaks.SLUG, leaks.NAME), make.make_model("plover-mini", "Plover Mini")]
    for _ in range(prompts):
        prompt = make.make_prompt(competition)
        for model in models:
            make.make_entry(prompt, model)


def audit(battles: int) -> dict[str, Any]:
    """What the command finds; that its exit code says the same is checked on the way."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("blindness_audit", "--json", f"--battles={battles}", stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
    result: dict[str, Any] = json.loads(out.getvalue())
    assert code == (0 if result["blind"] else 1)
    return result


def broken(result: dict[str, Any]) -> set[str]:
    return {rule["rule"] for rule in result["rules"] if rule["broken"]}


def betraying(result: dict[str, Any]) -> set[str]:
    return {line["feature"] for line in result["guesses"] if line["betrays"]}


def test_as_shipped_nothing_is_found_and_no_trace_is_left():
    fill(MANY)
    result = audit(MANY)
    assert result["reasons"] == []
    assert (result["battles"], result["prompts"], result["models"]) == (MANY, MANY, 2)
    assert all(rule["looked_at"] == MANY for rule in result["rules"])
    assert not Voter.objects.exists()
    assert not Battle.objects.exists()
    assert not Vote.objects.exists()


SERVERS = {
    "file_name": ("none that identifies", "names a model"),
    "last_modified": ("none that identifies",),
    "server_timing": ("none that identifies",),
    "cache_hint": ("the same headers",),
    "hidden_name": ("names a model",),
    "partial_content": ("ranges and conditions",),
    "alt_text": ("names a model",),
    "entry_number": ("same markup",),
    "prefetch": ("names a model",),
    "linked_data": ("names a model",),
    "immortal": ("dead after their time",),
    "refusal_of_its_own": ("dead after their time",),
    "stranger_everywhere": ("beside names",),
}


def test_a_leaking_server_is_caught(settings, subtests):
    """One leak after the other on the same site: every audit leaves it as it found it."""
    fill(FEW)
    shipped = settings.MIDDLEWARE
    for name, rules in SERVERS.items():
        with subtests.test(name):
            settings.MIDDLEWARE = [*shipped, f"tests.arena.audit.leaks.{name}"]
            names = broken(audit(FEW))
            assert all(any(rule in name for name in names) for rule in rules)
    with subtests.test("an ETag of Django's own middleware"):
        settings.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware", *shipped]
        assert "both images come with the same headers, none that identifies" in broken(audit(FEW))


FILES = (
    (leaks.exif, "a picture and nothing else"),
    (leaks.orientation, "a picture and nothing else"),
    (leaks.xmp, "a picture and nothing else"),
    (leaks.colour_profile, "a picture and nothing else"),
    (leaks.png_text, "names a model"),
    (leaks.alpha, "a picture and nothing else"),
    (leaks.grey, "exactly the competition's size"),
    (leaks.native_size, "exactly the competition's size"),
    (leaks.other_format, "a picture and nothing else"),
    (leaks.other_settings, "same pipeline"),
    (leaks.appended, "a picture and nothing else"),
)


def test_files_that_went_around_the_pipeline_are_caught(subtests):
    fill(FEW)
    (entry,) = Entry.objects.filter(image_model__slug=leaks.SLUG)
    shipped, thumbnail = entry.image.name, entry.thumbnail.name
    for number, (remade, rule) in enumerate(FILES):
        with subtests.test(remade.__name__):
            entry.image = shipped
            entry.image.save(f"battle/{number:032x}.webp", ContentFile(remade(entry)))
            assert any(rule in name for name in broken(audit(FEW)))
    with subtests.test("a battle image in the public gallery"):
        entry.image = shipped
        with entry.image.open("rb") as file:
            entry.thumbnail.save(f"public/{entry.pk:032x}.webp", ContentFile(file.read()))
        entry.save()
        assert "no battle image is in the public gallery" in broken(audit(FEW))
    with subtests.test("none of it"):
        entry.thumbnail = thumbnail
        entry.save()
        assert not broken(audit(FEW))


def test_what_only_leans_towards_a_model_is_caught_by_the_classifier(settings):
    """Four leaks at once, in which no single battle looks wrong; each is found by its own features."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.arena.audit.leaks.lazily_made"]
    fill(MORE)
    for entry in Entry.objects.all():  # another pipeline made everything, and spent more bytes on one model
        quality = 97 if entry.image_model.slug == leaks.SLUG else 80
        entry.image.save(f"battle/{entry.pk:032x}.webp", ContentFile(leaks.other_settings(entry, quality)))
    with leaks.unfair_rows():
        result = audit(MORE)
    assert betraying(result) == {
        "side of the screen",
        "image URL",
        "time to answer",
        "encoding beyond content",
        "all of these together",
    }, result["guesses"]
    assert not broken(result)


def test_an_arena_without_pairs_or_a_site_that_is_down_is_no_verdict():
    run = partial(call_command, "blindness_audit", stdout=io.StringIO(), stderr=io.StringIO())
    for arguments, reason in (
        ([], "no battle to play"),
        (["--category", "no-such"], "There is no category"),
        (["--base-url", "http://127.0.0.1:9"], "cannot be reached"),
    ):
        with pytest.raises(CommandError, match=reason):
            run(*arguments)
