"""Webhooks: each event once, signed, sent again until it is taken, nowhere inside the house."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from leaderboard.board import ratings, snapshots
from leaderboard.models.webhooks import Delivery, Webhook
from leaderboard.news import deliveries
from providers.webhooks import outgoing as outgoing_webhooks
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.leaderboard.voting import cast
from tests.webhook_receiver import Receiver, is_signed, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def webhook(receiver: Receiver, *events: str) -> Webhook:
    row: Webhook = Webhook.objects.create(
        name="ours", url=receiver.url, events=list(events), created_at=timezone.now() - timedelta(minutes=5)
    )
    return row


def due_now() -> None:
    Delivery.objects.filter(status="waiting").update(due_at=timezone.now())


def test_an_event_is_delivered_once_with_a_signature_of_its_body(receiver):
    hook = webhook(receiver, "snapshot.taken")
    category = make.make_category()
    models = [make.make_model() for _ in range(3)]
    cast(category, models, 200)
    ratings.recompute(category)
    taken = snapshots.take(category)
    assert deliveries.plan() == 1
    assert deliveries.plan() == 0
    assert deliveries.send_due() == 1
    assert deliveries.send_due() == 0
    ((headers, body),) = receiver.requests
    event = json.loads(body)
    assert event["type"] == "snapshot.taken"
    assert event["data"]["path"] == taken.get_absolute_url()
    assert is_signed(headers, body, hook.secret)
    assert Delivery.objects.get().status == "delivered"


def test_events_of_before_it_was_made_are_not_delivered(receiver):
    hook = webhook(receiver, "competition.closed")
    make.make_competition(opens_at=timezone.now() - timedelta(days=3), closes_at=timezone.now() - timedelta(days=2))
    assert deliveries.plan() == 0
    late = make.make_competition(opens_at=timezone.now() - timedelta(days=3), closes_at=timezone.now())
    make.make_competition(closes_at=timezone.now(), is_published=False)
    assert deliveries.plan() == 1
    assert late.title in Delivery.objects.get().payload["data"]["title"]
    assert hook.deliveries.count() == 1


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_sent_again_under_the_same_id_and_given_up_at_last(receiver, status, monkeypatch):
    monkeypatch.setattr(outgoing_webhooks, "MAX_ATTEMPTS", 3)
    hook = webhook(receiver, "model.changed")
    row = Delivery.objects.create(webhook=hook, key="one", event="model.changed", payload={})
    receiver.status = status
    assert deliveries.send_due() == 0
    row.refresh_from_db()
    assert (row.status, row.attempts, row.answer) == ("waiting", 1, str(status))
    assert row.due_at > timezone.now() + timedelta(seconds=5)
    assert deliveries.send_due() == 0  # not due yet
    due_now()
    receiver.status = 200
    assert deliveries.send_due() == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    assert len(receiver.requests) == 2  # a redirect is not followed
    receiver.status = status
    other = Delivery.objects.create(webhook=hook, key="two", event="model.changed", payload={})
    for _ in range(5):
        due_now()
        deliveries.send_due()
    other.refresh_from_db()
    assert (other.status, other.attempts) == ("failed", 3)


def test_a_receiver_that_is_gone_is_not_sent_to_again(receiver):
    row = Delivery.objects.create(webhook=webhook(receiver, "model.changed"), key="k", event="e", payload={})
    receiver.status = 410
    deliveries.send_due()
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("failed", 1)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "https://127.0.0.1:9/", "https://169.254.169.254/", "https://[::1]/", "file:///etc"]
)
def test_nothing_is_sent_to_addresses_inside(url):
    row = Webhook.objects.create(name="inside", url=url, events=["model.changed"])
    delivery = deliveries.test(row)
    assert delivery.status == "failed"
    assert delivery.answer.startswith("no answer")


def test_a_paused_webhook_gets_nothing(receiver):
    hook = webhook(receiver, "model.changed")
    Delivery.objects.create(webhook=hook, key="k", event="e", payload={})
    Webhook.objects.update(is_active=False)
    assert deliveries.send_due() == deliveries.plan() == 0
    assert receiver.requests == []


def test_staff_make_and_test_them_in_the_admin(receiver, client):
    client.force_login(User.objects.create_superuser("boss"))
    made = client.post(
        "/admin/leaderboard/webhook/add/",
        {"name": "ours", "url": "https://example.org/hook", "events": ["price.changed"], "is_active": "on"},
    )
    assert made.status_code == 302, made.content
    row = Webhook.objects.get()
    assert row.secret.startswith("whsec_")
    assert row.secret in client.get(f"/admin/leaderboard/webhook/{row.pk}/change/").content.decode()
    for url, says in (
        ("http://a.example", "begins with https://"), ("https://a:b@a.example", "has no password"),
        ("https://10.0.0.7/hook", "public host"), ("https://printer.local", "public host"),
    ):  # fmt: skip
        form = {"name": "x", "url": url, "events": ["price.changed"], "is_active": "on"}
        refused = client.post("/admin/leaderboard/webhook/add/", form)
        assert (refused.status_code, says in refused.content.decode()) == (200, True), url
    Webhook.objects.update(url=receiver.url)
    action = {"action": "send_test", "_selected_action": [row.pk]}
    page = client.post("/admin/leaderboard/webhook/", action, follow=True).content.decode()
    assert json.loads(receiver.requests[0][1])["type"] == "test"
    assert "Ours: 204" in page
    receiver.status = 500
    assert "Ours: 500" in client.post("/admin/leaderboard/webhook/", action, follow=True).content.decode()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered", "failed"}


def test_a_new_webhook_leads_to_the_page_with_its_secret_and_the_answer_to_a_test(client):
    client.force_login(User.objects.create_superuser("boss"))
    assert "whsec_" not in client.get("/admin/leaderboard/webhook/add/").content.decode()
    form = {"name": "ours", "url": "https://receiver.invalid/hook", "events": ["price.changed"], "is_active": "on"}
    form |= {f"deliveries-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    for url in ("/admin/leaderboard/webhook/add/", None):
        row = Webhook.objects.first()
        page = client.post(url or f"/admin/leaderboard/webhook/{row.pk}/change/", form | {"_test": ""}, follow=True)
        row = Webhook.objects.get()
        assert page.redirect_chain[-1][0] == f"/admin/leaderboard/webhook/{row.pk}/change/"
        assert row.secret in page.content.decode()
        delivery = Delivery.objects.latest("pk")
        assert (delivery.event, delivery.status) == ("test", "failed")
        assert delivery.answer
        assert delivery.answer in html.unescape(page.content.decode())
    assert Delivery.objects.count() == 2
    saved = client.post(f"/admin/leaderboard/webhook/{row.pk}/change/", form)
    assert saved.status_code == 302
    assert Delivery.objects.count() == 2


def test_postgres_refuses_what_cannot_be_true(receiver):
    hook = webhook(receiver, "model.changed")
    refuses("a webhook has known events", update(hook, events=[]))
    refuses("a webhook has known events", update(hook, events=["x"]))
    refuses("a webhook has a name and a URL", update(hook, url=""))
    refuses("a webhook has its secret", update(hook, secret="x"))
    row = Delivery.objects.create(webhook=hook, key="k", event="e", payload={})
    refuses("a delivery ends when it is delivered or failed", update(row, status="delivered"))
    refuses(
        "an event is delivered once to a webhook",
        lambda: Delivery.objects.create(webhook=hook, key="k", event="e", payload={}),
    )
    hook.url = "http://a.example/hook"
    with pytest.raises(ValidationError, match="https"):
        hook.full_clean()
