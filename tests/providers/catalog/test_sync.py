"""What sources outside say becomes proposals; a curator decides, and nothing changes before that."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.catalog import ends, load, sync
from providers.models import Offering, Price, Proposal
from tests import factories as make

pytestmark = pytest.mark.django_db
RECORDED = Path(__file__).with_name("recorded")


def sync_catalog() -> str:
    out = StringIO()
    call_command(
        "sync_catalog", fal_prices=RECORDED / "fal_prices.json", litellm=RECORDED / "litellm.json",
        fal_schemas=RECORDED / "fal_schemas", stdout=out,
    )  # fmt: skip
    return out.getvalue()


@pytest.fixture
def catalogue() -> None:
    load.load()


def proposals() -> dict[tuple[str, str, str], list[str]]:
    texts: dict[tuple[str, str, str], list[str]] = {}
    for row in Proposal.objects.select_related("offering__image_model").order_by("text"):
        key = (row.offering.image_model.slug, row.offering.provider, row.offering.mode)
        texts.setdefault(key, []).append(row.text)
    return texts


def test_what_differs_is_proposed_once_and_nothing_changes(catalogue):
    before = list(Offering.objects.order_by("pk").values())
    output = sync_catalog()
    made = proposals()
    assert made["flux.2-klein-9b", "fal", "text-to-image"] == ["price: $0.006 megapixel → $0.009 megapixel"]
    assert made["qwen-image-2512", "fal", "text-to-image"] == ["price: unknown → $0.02 megapixel"]
    assert "no unit of our price list" in made["luma-photon", "fal", "text-to-image"][0]
    assert made["flux1.1-pro", "fal", "text-to-image"] == ["price: $0.04 image → $0.05 image"]
    assert any(text.startswith("per million tokens") for text in made["gpt-image-2", "openai", "text-to-image"])
    assert "ends on 2027-04-21" in made["gpt-image-2", "openai", "text-to-image"]
    (schema,) = made["flux.1-schnell", "fal", "text-to-image"]  # its price is the same
    assert "also takes brand_new" in schema
    assert "output_format no longer has png" in schema
    assert list(Offering.objects.order_by("pk").values()) == before
    assert "! fal/flux.2-klein-9b (text-to-image): price" in output  # 50 % dearer
    count = Proposal.objects.count()
    assert sync_catalog().count("\n") < output.count("\n")
    assert Proposal.objects.count() == count


def test_an_accepted_price_is_the_offerings_with_its_source_and_in_the_history(catalogue):
    sync_catalog()
    proposal = Proposal.objects.get(text="price: unknown → $0.02 megapixel")
    assert proposal.offering.price_on_request
    sync.accept(proposal)
    offering = Offering.objects.get(pk=proposal.offering_id)
    assert (offering.price, offering.price_unit, offering.price_on_request) == (Decimal("0.02"), "megapixel", False)
    assert (offering.price_source, offering.price_seen_on) == (sync.FAL_PRICING, timezone.now().date())
    assert Price.objects.filter(offering=offering, price=Decimal("0.02")).count() == 1
    sync.accept(proposal)  # the second time is harmless
    assert Price.objects.filter(offering=offering).count() == 1
    load.load()  # a load leaves what a curator decided
    assert Offering.objects.get(pk=offering.pk).price == Decimal("0.02")


def test_a_rejected_proposal_does_not_come_back(catalogue):
    sync_catalog()
    proposal = Proposal.objects.get(text="price: $0.006 megapixel → $0.009 megapixel")
    sync.reject(proposal)
    sync_catalog()
    proposal.refresh_from_db()
    assert proposal.status == "rejected"
    assert Offering.objects.get(pk=proposal.offering_id).price == Decimal("0.006")


def test_a_proposal_that_cannot_be_computed_with_is_not_accepted():
    offering = make.make_offering()
    changes = {"price_unit": "image-by-tier", "price_details": {"huge": 1}}
    proposal = Proposal.objects.create(offering=offering, text="x", source=sync.LITELLM, changes=changes)
    with pytest.raises(ValidationError):
        sync.accept(proposal)
    proposal.refresh_from_db()
    assert proposal.status == "open"


def test_a_curator_decides_in_the_admin_and_only_with_the_right(client):
    offering = make.make_offering(price="0.01")
    proposal = Proposal.objects.create(
        offering=offering, text="price", source=sync.FAL_PRICING, changes={"price": "0.02"}, is_large=True
    )
    staff = User.objects.create_user("curator", is_staff=True)
    client.force_login(staff)
    url, accept = "/admin/providers/proposal/", {"action": "accept", "_selected_action": [proposal.pk]}
    staff.user_permissions.add(Permission.objects.get(codename="view_proposal"))
    assert sync.FAL_PRICING in client.get(url).text
    client.post(url, accept)
    assert Offering.objects.get().price == Decimal("0.01")
    staff.user_permissions.add(Permission.objects.get(codename="change_proposal"))
    client.post(url, accept)
    assert Offering.objects.get().price == Decimal("0.02")


def test_a_file_that_is_no_json_proposes_nothing(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text("<html>")
    with pytest.raises(CommandError, match="Nothing was proposed"):
        call_command("sync_catalog", litellm=path)
    for odd in (None, [], {"prices": 5}, {"prices": [None, {"endpoint_id": []}]}, {"components": {"schemas": []}}):
        offering = make.make_offering()
        assert list(sync.from_fal_prices(odd, [offering])) == list(sync.from_litellm(odd, [offering])) == []
        assert list(sync.from_fal_schema(odd, offering)) == []


# Ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offering_is_asked_until_the_day_it_ends_and_warned_of_thirty_days_before(settings, caplog):
    settings.PROVIDERS = {"fal": {"name": "fal", "adapter": "fal", "urls": {}, "api_key": "k"}}
    today = timezone.now().date()
    for days, is_open, is_ending in ((-1, False, True), (0, False, True), (1, True, True), (31, True, False)):
        offering = make.make_offering(provider="fal", ends_on=today + timedelta(days=days))
        assert Offering.objects.open().filter(pk=offering.pk).exists() is is_open
        assert Offering.objects.ending().filter(pk=offering.pk).exists() is is_ending
    assert len(ends.warn()) == 3
    assert caplog.text.count(" on 20") == 3


def test_the_admin_says_what_ends_soon(admin_client):
    make.make_offering(provider="fal", ends_on=timezone.now().date() + timedelta(days=2))
    page = admin_client.get("/admin/providers/offering/").text
    assert "Within 30 days these end" in page
    assert "in 2 days" in page


# The catalogue we ship ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_active_offering_has_a_price_with_a_link_or_says_that_the_provider_must_be_asked():
    for key, row in load.read().offerings.items():
        if row["is_active"]:
            assert (row["price"] is None) is row["price_on_request"], key
            assert row["price"] is None or row["price_source"].startswith(("https://", "Simulated price")), key


def test_the_ends_that_are_known_are_in_the_catalogue():
    offerings = load.read().offerings
    assert offerings["gpt-image-1.5", "openai", "text-to-image"]["ends_on"] == date(2026, 12, 1)
    assert offerings["gemini-2.5-flash-image", "gemini", "edit"]["ends_on"] == date(2027, 3, 15)


def test_recorded_answers_are_what_they_say():
    assert json.loads((RECORDED / "litellm.json").read_text())["gpt-image-2"]["litellm_provider"] == "openai"
