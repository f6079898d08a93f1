"""A URL that nothing answers to."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories as make
from tests.leaderboard.pages import text_of

pytestmark = pytest.mark.django_db


def test_a_name_that_is_nearly_right_is_answered_with_the_models_it_may_have_meant(client):
    model = make.make_model("kite-pro", name="Kite Pro")
    page = text_of(client.get("/models/kite-por/"), 404)
    assert f'Did you mean: <a href="{model.get_absolute_url()}" dir="auto">Kite Pro</a>' in page
    assert 'name="q" value="kite-por"' in page
    assert "Did you mean" not in text_of(client.get("/models/zzzzzz/"), 404)


def test_other_urls_cost_no_query(client):
    make.make_model("wp-login", name="wp-login")
    with CaptureQueriesContext(connection) as queries:
        page = text_of(client.get("/wp-login.php"), 404)
    assert "Did you mean" not in page
    assert not any("wp-login" in query["sql"] for query in queries)


def test_a_program_that_asks_for_json_gets_an_error_in_json(client):
    response = client.get("/integrity.jsn", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    for accept in ("*/*", "text/html,application/xhtml+xml,*/*;q=0.8"):
        assert client.get("/nothing/", headers={"Accept": accept})["Content-Type"].startswith("text/html")


def test_an_account_without_rights_gets_a_page_that_says_so(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("reader", is_staff=True))
    assert "Your account may not do this" in text_of(client.get("/admin/arena/competition/"), 403)
