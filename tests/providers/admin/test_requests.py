"""What waits for the requests of keys, as operators see it: its state and next attempt, never what was requested."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from providers.models import ApiKey, GatewayRequest, JobWebhook, QueuedRequest
from tests import factories as make

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def operator(client):
    user = User.objects.create_user("operator", is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    client.force_login(user)
    return client


@pytest.fixture
def row():
    key, _ = ApiKey.make("a program")
    return GatewayRequest.objects.create(api_key=key, mode="text-to-image", model="sample", fingerprint="f")


def cells(client, model, row) -> dict[str, object]:
    """The columns of the only row of a list, and that neither it nor its own page shows what is the client's."""
    url = f"/admin/providers/{model}/"
    listed, page = client.get(url), client.get(f"{url}{row.pk}/change/")
    for response in (listed, page):
        assert response.status_code == 200
        assert "secret" not in response.content.decode()
    changelist = listed.context["cl"]
    (shown,) = changelist.result_list
    admin = changelist.model_admin
    return {
        name: getattr(admin, name)(shown) if hasattr(admin, name) else getattr(shown, name)
        for name in changelist.list_display
        if name != "action_checkbox"
    }


@pytest.mark.parametrize(
    ("facts", "state", "sent_again_at"),
    [
        ({}, "queued", None),
        ({"sent_at": NOW}, "sent to a worker", NOW + timedelta(seconds=10)),
        ({"sent_at": NOW, "started_at": NOW}, "running", None),
        ({"sent_at": NOW, "started_at": NOW, "cancel": True}, "to be cancelled", None),
    ],
)
def test_a_queued_request_shows_where_it_is_and_when_it_is_sent_again(operator, row, facts, state, sent_again_at):
    queued = QueuedRequest.objects.create(
        request=row, image_model=make.make_model(), payload={"prompt": "a secret"}, sources=["secret.png"], **facts
    )
    shown = cells(operator, "queuedrequest", queued)
    assert (shown["state"], shown["sent_again_at"]) == (state, sent_again_at)
    assert shown["api_key"] == row.api_key


@pytest.mark.parametrize(
    ("request_facts", "webhook_facts", "next_attempt_at"),
    [
        ({}, {}, None),  # the request has not ended
        ({"status": "ok", "duration": timedelta(seconds=1)}, {"attempts": 2, "answer": "500"}, NOW),
        (
            {"status": "ok", "duration": timedelta(seconds=1)},
            {"attempts": 3, "answer": "200", "status": "delivered", "ended_at": NOW},
            None,
        ),
    ],
)
def test_a_jobs_webhook_shows_its_host_its_attempts_and_the_next(
    operator, row, request_facts, webhook_facts, next_attempt_at
):
    GatewayRequest.objects.filter(pk=row.pk).update(**request_facts)
    webhook = JobWebhook.objects.create(
        request=row, url="https://hooks.example/secret?token=secret", origin="https://arena.example", due_at=NOW,
        **webhook_facts,
    )  # fmt: skip
    shown = cells(operator, "jobwebhook", webhook)
    assert (shown["host"], shown["next_attempt_at"]) == ("hooks.example", next_attempt_at)
    assert (shown["attempts"], shown["answer"]) == (webhook.attempts, webhook.answer)
