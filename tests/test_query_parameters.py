"""No page replaces a value it cannot use in silence: every parameter of every page is tried with nonsense."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.http import QueryDict
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from arena.battles import competition_choice
from providers.playground import forms
from providers.web.query_parameters import Parameters
from tests import factories as make

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[1]
NONSENSE = "no-such-thing"
FREE = {"q", "prompt"}  # any text is a search or a prompt; the page shows it
NOT_FOUND = {"page"}  # a number of a list that does not exist is a page that does not exist
# Views that read their query without the page cache, which knows the parameters of the others.
OTHERS = {
    "providers:playground": forms.PARAMETERS, "leaderboard:search": ("q",),
    "arena:arena": (competition_choice.PARAMETER,),
}  # fmt: skip
# Modules that may touch request.GET: each of their views is tried below, or is for operators or for programs.
READERS = {
    "leaderboard/views/boards.py", "leaderboard/views/compare.py", "leaderboard/views/competitions.py",
    "leaderboard/views/models.py", "leaderboard/views/moved.py", "leaderboard/views/search.py",
    "leaderboard/page_cache.py", "arena/battles/competition_choice.py",
    "providers/playground/forms.py", "providers/gateway/pages.py", "providers/gateway/views.py",
    "arena/admin/shared.py", "arena/admin/ask_page.py", "leaderboard/api/endpoint.py", "leaderboard/api/views.py",
    "arena/admin/queue.py",  # two lists share one number: the shorter one stays at its last page
    "arena/admin/integrity.py",  # hands its query on
    "leaderboard/views/snapshots.py", "leaderboard/views/privacy.py", "leaderboard/views/preview.py",  # flags
}  # fmt: skip


def routes(resolver, namespace=""):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern) and pattern.name:
            name = f"{namespace}{pattern.name}"
            yield name, OTHERS.get(name, getattr(pattern.callback, "query_parameters", ()))


WITH_PARAMETERS = sorted({(name, parameter) for name, names in routes(get_resolver()) for parameter in names})


@pytest.fixture
def arguments():
    """A site with one of everything, and the URL arguments of each kind of page."""
    category = make.make_category()
    competition = make.make_competition(category, slug="animals")
    prompt = make.make_prompt(competition, "A red kite", tags=["birds"])
    for slug in ("one", "two"):
        make.make_entry(prompt, make.make_model(slug))
    board, model = [category.slug], ["one"]
    return {
        "leaderboard:compare": ["one", "two"], "arena:arena": board,
        "leaderboard:category": board, "leaderboard:category-csv": board, "leaderboard:model": model,
        "leaderboard:model-images": model,
        "leaderboard:competition": ["animals"], "leaderboard:prompt": ["animals", prompt.pk],
    }  # fmt: skip


def test_a_value_that_cannot_be_used_is_named_with_status_400(client, arguments):
    assert len(WITH_PARAMETERS) > 50
    silent = []
    for name, parameter in WITH_PARAMETERS:
        url = reverse(name, args=arguments.get(name, []))
        response = client.get(url, {parameter: NONSENSE}, follow=True)
        text = html.unescape(response.content.decode())
        if parameter in NOT_FOUND:
            honest = response.status_code == 404
        elif parameter in FREE:
            honest = NONSENSE in text or name.endswith("csv")  # which has rows alone
        else:
            said = f"“{NONSENSE}”" in text or f"'{NONSENSE}'" in text
            alerts = 'role="alert"' in text or name.endswith("csv")
            honest = said and response.status_code == 400 and alerts
        if not honest:
            silent.append((name, parameter, response.status_code))
    assert silent == []


def test_the_reason_is_in_the_readers_language(client, arguments):
    """German quotes are those of the translated sentence. Programs read CSV, and what the playground says of a request
    is the API's."""
    english = []
    for name in sorted({name for name, _ in WITH_PARAMETERS} - {"providers:playground"}):
        wrong = {param: NONSENSE for at, param in WITH_PARAMETERS if at == name and param not in FREE | NOT_FOUND}
        if not wrong or name.endswith("csv"):
            continue
        url = reverse(name, args=arguments.get(name, []))
        response = client.get(url, wrong, follow=True, HTTP_ACCEPT_LANGUAGE="de")
        text = html.unescape(response.content.decode())
        if f"„{NONSENSE}“" not in text or f"“{NONSENSE}”" in text:
            english.append((name, response.status_code))
    assert english == []


def test_every_module_that_reads_a_query_is_tried():
    readers = {
        str(path.relative_to(ROOT))
        for app in ("arena", "leaderboard", "providers")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"request\.GET\b", path.read_text())
    }
    assert readers <= READERS


def test_the_playground_chooses_nothing_in_place_of_what_it_cannot_ask(client):
    model = make.make_model("a-real-one", "A Real One", origin="catalog")
    make.make_offering(model, "fal")
    response = client.get("/playground/", {"model": "a-real-one"})
    text = " ".join(html.unescape(response.content.decode()).split())
    assert response.status_code == 400
    assert "A Real One cannot be tried here: this site has no working key for fal." in text
    assert not re.search(r'<option value="[^"]+" selected>', text.partition("Size</label>")[0])
    for size in ("9000x9000x2", "huge"):
        response = client.get("/playground/", {"size": size})
        assert response.status_code == 400
        assert size in html.unescape(response.content.decode())
    assert client.get("/playground/", {"size": "16:9", "seed": "7", "prompt": "A kite"}).status_code == 200


def test_values_are_read_or_explained_never_both():
    asked = Parameters(QueryDict("a=1&b=x&c=-1&d=2026-01-31&e=2026-13-01&f=p&f=q&g=++&h=$2.5"), "abcdefgh")
    assert asked.one_of("a", ["1"]) == "1"
    assert asked.one_of("b", ["1"], "1") == "1"
    assert asked.amount("c", "a number", "5") is None
    assert str(asked.amount("h", "a number", "5")) == "2.5"
    assert str(asked.day("d")) == "2026-01-31"
    assert asked.day("e") is None
    assert asked.several("f", ["p"]) == ("p",)
    assert asked.text("g") == ""
    assert sorted(asked.errors) == ["b", "c", "e", "f"]
    assert asked.errors["b"] == "“x” is not in this list. Choose one of: 1."
    assert asked.text("d", longest=3) == ""
    assert "4 characters" not in asked.errors["d"]
    assert "10 characters; 3 are the limit here." in asked.errors["d"]
