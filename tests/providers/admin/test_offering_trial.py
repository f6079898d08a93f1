"""One call to an offering from its admin page: price, then image and time, or the error."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from providers.admin import offering_trial
from providers.models import Call
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulated")]


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="long enough"))
    return client


@pytest.mark.parametrize("mode", ["text-to-image", "edit"])
def test_the_price_stands_before_the_call_and_the_image_after_it(operator, mode):
    offering = make.make_offering(mode=mode, price="0.02")
    url = f"/admin/providers/offering/{offering.pk}/trial/"
    assert url in operator.get(f"/admin/providers/offering/{offering.pk}/change/").content.decode()
    assert "nothing (simulated)" in operator.get(url).content.decode()
    assert not Call.objects.exists()
    page = operator.post(url).content.decode()
    assert 'src="data:image/' in page
    assert Call.objects.get().offering == offering


def test_an_error_is_shown_as_it_is(operator, monkeypatch):
    monkeypatch.setattr(offering_trial, "PROMPT", "Snow [sim:policy]")
    offering = make.make_offering()
    page = operator.post(f"/admin/providers/offering/{offering.pk}/trial/").content.decode()
    assert "content_policy" in page
    assert 'src="data:image/' not in page


def test_what_cannot_be_called_is_not(operator, client):
    offering = make.make_offering(provider="fal")
    assert "no key for its provider" in operator.get(f"/admin/providers/offering/{offering.pk}/trial/").content.decode()
    client.force_login(User.objects.create_user("visitor", password="long enough", is_staff=True))
    assert client.post(f"/admin/providers/offering/{offering.pk}/trial/").status_code == 403
