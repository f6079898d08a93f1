"""Languages: every text is translated, readers get theirs, and no cache mixes them."""

from __future__ import annotations

import gettext
import os
import re

import pytest
from babel.messages import Catalog, pofile
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from config.translations import files, middleware, mo_files, po_files
from tests import factories as make

GERMAN = {"headers": {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}}
OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%%|\{\w*\}")


def catalog(app: str, language: str) -> Catalog:
    with files.catalog_path(app, language).open("rb") as file:
        return pofile.read_po(file, language, abort_invalid=True)


def texts(text) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("app", files.SOURCES)
def test_every_text_of_templates_and_code_is_translated_and_nothing_else_is(app, language):
    path = files.catalog_path(app, language)
    assert path.read_text() == po_files.updated(app, language), "run bin/manage update_translations"
    missing = [message.id for message in catalog(app, language) if message.id and not all(texts(message.string))]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_its_text(language):
    wrong = []
    for app in files.SOURCES:
        for message in catalog(app, language):
            if not message.id:
                continue
            expected = set(PLACEHOLDER.findall(texts(message.id)[-1]))
            forms = [set(PLACEHOLDER.findall(form)) for form in texts(message.string)]
            # One form may say "one" in a word; no form may have what the text has not.
            if forms[-1] != expected or not all(form <= expected for form in forms):
                wrong.append(message.id)
    assert wrong == []


def test_english_writes_per_cent_one_way():
    """98%, without a blank: the blank of other languages is their translations'."""
    texts_ = [form for app in files.SOURCES for message in po_files.collected(app) for form in texts(message.id)]
    assert [text for text in texts_ if re.search(r"\s%%|\d\s%(?![(%])", text)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_of_two_apps_has_one_translation(language):
    seen: dict[object, object] = {}
    for app in files.SOURCES:
        for message in catalog(app, language):
            if message.id:
                assert seen.setdefault((message.context, message.id), message.string) == message.string


def test_a_translation_is_compiled_once_and_again_whenever_its_source_is_another(tmp_path):
    source = tmp_path / "django.po"
    source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n\nmsgid "Tie"\nmsgstr "Patt"\n')
    assert mo_files.compile_changed([source]) == [tmp_path / "django.mo"]
    with (tmp_path / "django.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Tie") == "Patt"
    assert mo_files.compile_changed([source]) == []
    source.write_text(source.read_text().replace("Patt", "Remis"))
    os.utime(source, (1, 1))  # as a release that is older than the one before
    assert mo_files.compile_changed([source]) == [tmp_path / "django.mo"]
    with (tmp_path / "django.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Tie") == "Remis"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["django.mo", "django.po"]


def test_a_folder_that_cannot_be_written_stops_the_start_and_says_what_helps(tmp_path):
    source = tmp_path / "django.po"
    source.write_text('msgid "Tie"\nmsgstr "Patt"\n')
    (tmp_path / f"django.{os.getpid()}.tmp").mkdir()
    with pytest.raises(ImproperlyConfigured, match="collectstatic"):
        mo_files.compile_changed([source])


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-CH, fr;q=0.9", "de"),
        ("", "fr, de;q=0.4, en;q=0.5", "en"),
        ("", "fr, *", "en"),
        ("", "de;q=x, \0", "en"),
        ("de", "en", "de"),
        ("en", "de", "en"),
        ("tlh", "de", "de"),
    ],
)
def test_the_cookie_goes_before_the_browsers_languages_and_english_is_left(cookie, accepted, language):
    assert middleware.chosen(cookie, accepted) == language


@pytest.mark.django_db
def test_a_page_cached_in_one_language_is_never_served_in_another(client):
    """Whole pages, and the pieces that the voting pages are put together from."""
    prompt = make.make_prompt()
    for _ in range(3):
        make.make_entry(prompt)
    for page in ("/methodology/", "/arena/text-to-image/"):
        german, english = client.get(page, **GERMAN), client.get(page)
        again = client.get(page, **GERMAN)
        assert '<html lang="de">' in german.content.decode()
        assert '<html lang="en">' in english.content.decode()
        assert '<html lang="de">' in again.content.decode()
        assert german.content != english.content


@pytest.mark.django_db
def test_caches_on_the_way_share_english_pages_alone_and_know_what_a_language_depends_on(client):
    make.make_category()
    german, english = client.get("/methodology/", **GERMAN), client.get("/methodology/")
    assert "s-maxage" in english["Cache-Control"]
    assert "private" in german["Cache-Control"]
    for page in (german, english):
        assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))


@pytest.mark.django_db
def test_files_and_programs_responses_are_english_whatever_the_browser_prefers(client):
    make.make_category()
    for path in ("/leaderboard/text-to-image.csv", "/api/v1/leaderboards/", "/admin/login/", "/robots.txt"):
        plain, german = client.get(path), client.get(path, **GERMAN)
        assert german.content.decode().count("lang") == plain.content.decode().count("lang")
        assert "Accept-Language" not in german.get("Vary", "")
        assert not middleware.TRANSLATED.fullmatch(path)


def test_files_feeds_and_cards_are_among_no_translated_paths():
    """Of every URL pattern that ends in no slash, but for what the viewer of pages shows."""
    routes = {re.sub(r"<[^>]+>", "1", route) for route in _routes(get_resolver().url_patterns, "")}
    files_ = {f"/{route}" for route in routes if re.search(r"\w$", route) and not route.startswith("viewer/")}
    assert {"/robots.txt", "/leaderboard/1.csv", "/leaderboard/1/card.jpg", "/models/1.md", "/feeds/all.atom"} <= files_
    assert [path for path in files_ if middleware.TRANSLATED.fullmatch(path)] == []
    programs = ("/api/v1/leaderboards/", "/openai/v1/models/", "/admin/", "/feeds/", "/metrics")
    assert [path for path in programs if middleware.TRANSLATED.fullmatch(path)] == []


def _routes(patterns, prefix):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


@pytest.mark.django_db
def test_the_switch_remembers_a_language_and_returns_to_its_page(client):
    response = client.post("/language/", {"language": "de"}, headers={"Referer": "http://testserver/methodology/?x=1"})
    assert (response.status_code, response["Location"]) == (302, "/methodology/?x=1")
    cookie = client.cookies["language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("de", True, "Lax")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "referer", ["", "https://elsewhere.example/x", "http://testserver//elsewhere.example/", "http://["]
)
def test_the_switch_leads_to_no_other_site(client, referer):
    response = client.post("/language/", {"language": "de"}, headers={"Referer": referer})
    assert response["Location"].startswith("/")
    assert not response["Location"].startswith("//")


@pytest.mark.django_db
def test_a_language_that_there_is_not_is_rejected(client):
    response = client.post("/language/", {"language": "tlh"})
    assert response.status_code == 400
    assert "language" not in client.cookies
