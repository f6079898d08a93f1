"""The catalogue: rated and unrated models in lanes of their own, filtered and sorted by the URL."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from leaderboard.board import ratings
from leaderboard.chooser import catalogue
from providers.models import ImageModel
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


def page_of(client, query="", status=200):
    response = client.get(f"/models/{query}")
    assert response.status_code == status
    return re.sub(r"\s+", " ", response.content.decode())


def names_in(page):
    return re.findall(r'class="col-model"> <a href="/models/([^/]+)/"', page)


def rated_and_unrated():
    """Two rated models and three that nobody has voted on: these by name."""
    category = make.make_category()
    rated = [make.make_model(f"rated-{n}", f"Rated {n}", licence="MIT") for n in range(2)]
    cast(category, rated, 40)
    ratings.recompute(category)
    prices = {"cheap": "0.001", "dear": "0.2", "unpriced": None}
    others = {
        name: make.make_model(name, name.title(), origin="catalog", licence="Apache-2.0" if name == "dear" else "Own")
        for name in prices
    }
    for model, price in zip(rated, ("0.05", "0.01"), strict=True):
        make.make_offering(model, "fal")
        model.offerings.update(price=price)
    for name, price in prices.items():
        make.make_offering(others[name], "fal", price=None if price is None else Decimal(price))
    return others


@pytest.fixture(scope="module")
def shared_models(shared_rows):
    return shared_rows.make(rated_and_unrated)


@pytest.fixture
def models(shared_rows, shared_models):
    return shared_rows.lend(shared_models)


def test_rated_and_unrated_models_stay_in_lanes_under_every_order(client, models):
    assert names_in(page_of(client)) == ["rated-1", "rated-0", "cheap", "dear", "unpriced"]
    assert names_in(page_of(client, "?sort=model")) == ["rated-0", "rated-1", "cheap", "dear", "unpriced"]
    page = page_of(client)
    assert "3 not rated yet" in page
    assert "5 models, from $0.001 an image; 3 may be used commercially without asking." in page


def test_what_is_folded_and_what_is_only_imported_is_counted(client, models, monkeypatch):
    make.make_model("dall-e-2", "DALL·E 2", origin="imported", lab=None, modes=["text-to-image"])
    third = make.make_model("rated-2", "Rated 2", licence="MIT")
    cast(make.make_category(), [third, ImageModel.objects.get(slug="rated-0")], 40)
    ratings.recompute(make.make_category())
    third.offerings.update(price="0.09")
    monkeypatch.setattr(catalogue, "FOLD", 1)
    page = page_of(client)
    assert "2 more of these, from $0.050 to $0.090 </a>" in page
    assert "3 rated by votes; 3 not rated yet. 1 known from imported votes only." in page
    monkeypatch.setattr(catalogue, "FOLD_LAST", 1)
    page = page_of(client)
    assert names_in(page) == ["rated-1", "cheap", "dall-e-2"]
    assert "2 more of these , 1 without a known price" in page
    everything = page_of(client, "?rated=all")
    assert len(names_in(everything)) == 7
    assert "more of these" not in everything


def test_filters_answer_questions_that_need_no_votes(client, models):
    assert names_in(page_of(client, "?price=0.02")) == ["rated-1", "cheap"]
    assert names_in(page_of(client, "?rights=yes&price=0.2")) == ["rated-1", "rated-0", "dear"]
    assert names_in(page_of(client, "?q=unpri")) == ["unpriced"]
    empty = page_of(client, "?price=0.0001&rights=yes")
    assert "No model up to $0.0001 with commercial rights." in empty
    assert "3 do without the filter “price”." in empty
    assert 'href="?rights=yes">Leave it out</a>' in empty


@pytest.mark.parametrize("path", ["/models/", "/leaderboard/text-to-image/", "/leaderboard/text-to-image.csv"])
def test_of_a_provider_a_model_has_the_price_that_it_has_there(client, models, path):
    """What it costs elsewhere is no answer."""
    rated = ImageModel.objects.get(slug="rated-1")  # $0.01
    make.make_offering(rated, "replicate", price=Decimal("0.12"))
    assert "rated-1" in client.get(f"{path}?provider=fal&price=0.02").content.decode()
    there = client.get(f"{path}?provider=replicate").content.decode()
    assert re.search(r"\$0\.12\b|,0\.120000,", there)
    assert not re.search(r"\$0\.010\b|,0\.010000,", there)
    limited = client.get(f"{path}?provider=replicate&price=0.02").content.decode()
    assert "rated-1" not in (limited if path.endswith("csv") else limited.partition('class="rank-table')[2])


@pytest.mark.parametrize("query", ["?price=cheap", "?rights=maybe", "?task=video", "?sort=beauty", "?provider=nobody"])
def test_a_value_that_cannot_be_honoured_is_explained_and_left_out(client, models, query):
    page = page_of(client, query, 400)
    value = query.partition("=")[2]
    assert f"“{value}” is not" in page
    assert len(names_in(page)) == 5
