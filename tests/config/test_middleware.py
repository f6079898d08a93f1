"""What middleware does to answers."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.auth.models import AnonymousUser

from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_voting_page_is_compressed_and_what_the_api_answers_is_not(client):
    entry = make.make_entry()
    make.make_entry(entry.prompt)
    url = f"/arena/{entry.prompt.competition.category.slug}/"
    page = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page["Vary"]
    text = gzip.decompress(page.content)
    assert b'id="battle"' in text
    assert len(page.content) < len(text) / 2
    assert not client.get(url).has_header("Content-Encoding")
    answer = client.get("/openai/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert len(answer.content) > 1000
    assert not answer.has_header("Content-Encoding")


def test_only_staff_have_sessions_and_messages(client, admin_client, admin_user):
    stranger = client.get("/").wsgi_request
    assert isinstance(stranger.user, AnonymousUser)
    assert not hasattr(stranger, "session")
    assert not hasattr(stranger, "_messages")
    staff = admin_client.get("/").wsgi_request
    assert staff.user == admin_user
    login = client.get("/admin/login/").wsgi_request
    for request in (staff, login):
        assert hasattr(request, "session")
        assert hasattr(request, "_messages")
