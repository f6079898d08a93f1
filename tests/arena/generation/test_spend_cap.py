"""A competition's cap: planning says no in words, work waits and goes on, and many workers together keep to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from arena import generation
from arena.generation import spend_cap
from arena.models import Entry, Generation
from providers.adapters.base import Account
from providers.models import Call
from providers.routing import offering_calls
from tests import factories as make
from tests.arena.test_admin import ask_for
from tests.providers.steps import give_back, take

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]


@pytest.fixture
def _billed(monkeypatch) -> None:
    """The simulator stands for providers that take real money."""
    monkeypatch.setattr(Account, "is_simulated", False)


@pytest.fixture
def curator(client):
    client.force_login(User.objects.create_superuser("curator", password="correct horse"))
    return client


def queued(cap: str | None, images: int = 1, text: str = "Snow", price: str | None = "0.10") -> list[Generation]:
    competition = make.make_competition(spend_cap=cap and Decimal(cap))
    model = make.make_model()
    make.make_offering(model, "simulated-openai", endpoint=model.slug, price=price and Decimal(price))
    prompts = [make.make_prompt(competition, f"{text} ({number})") for number in range(images)]
    return [make.make_generation(prompt, model) for prompt in prompts]


def again(row: Generation) -> Generation:
    row.refresh_from_db()
    return row


def competition_of(row: Generation):
    return type(row.prompt.competition).objects.get(pk=row.prompt.competition.pk)


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_work_above_the_cap_waits_with_the_reason_and_goes_on_when_it_is_raised(curator):
    first, second = queued("0.15", images=2)
    generation.run(first.pk)
    generation.run(second.pk)
    assert (again(first).status, first.spent, first.expected_cost) == ("succeeded", Decimal("0.1"), None)
    assert (again(second).status, second.outcome, second.attempt, second.attempts_left) == ("queued", "spend_cap", 0, 8)
    assert "$0.10 are spent of the competition's cap of $0.15, and this image costs about $0.10" in second.error
    assert second.due_at > timezone.now() + timedelta(minutes=4)
    competition = competition_of(second)
    form = {
        field: getattr(competition, field)
        for field in ("slug", "title", "criterion", "question", "shape", "unveiling", "description", "is_published")
    } | {"category": competition.category_id, "spend_cap": "0.20", "prompts-TOTAL_FORMS": 0, "prompts-INITIAL_FORMS": 0}
    response = curator.post(f"/admin/arena/competition/{competition.pk}/change/", form)
    assert response.status_code == 302, response.context["errors"]
    generation.run(second.pk)
    assert again(second).status == "succeeded"
    assert spend_cap.of(competition) == spend_cap.Spent(Decimal("0.2"), Decimal(0))


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_keep_to_the_cap():
    rows = queued("0.35", images=10, text="Snow [sim:slow=0.3]")

    def work(row):
        try:
            generation.run(row.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, rows))
    assert Entry.objects.count() == Call.objects.count() == 3
    assert Generation.objects.filter(status="queued", outcome="spend_cap").count() == 7
    assert spend_cap.of(competition_of(rows[0])).total == Decimal("0.3")


@pytest.mark.usefixtures("_billed")
def test_a_dead_workers_attempt_counts_as_charged():
    (row,) = queued("0.15")
    assert generation.claim(row.pk) is not None
    assert spend_cap.of(competition_of(row)) == spend_cap.Spent(Decimal(0), Decimal("0.1"))
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.update(started_at=past - timedelta(hours=1), lease_expires_at=past)
    assert generation.claim(row.pk) is None  # a second one would pass the cap
    assert (again(row).status, row.outcome) == ("queued", "spend_cap")
    assert spend_cap.of(competition_of(row)) == spend_cap.Spent(Decimal("0.1"), Decimal(0))


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_a_failure_that_may_have_been_charged_counts():
    (row,) = queued(None, text="Snow [sim:result-html]")
    generation.run(row.pk)
    call = Call.objects.get()
    assert again(row).spent == (call.cost or 0)
    assert (call.cost is not None) == call.possibly_charged


@pytest.mark.django_db(transaction=True)
def test_simulated_images_pass_every_cap(settings):
    settings.DAILY_SPEND_CAP = Decimal(0)
    (row,) = queued("0")
    generation.run(row.pk)
    assert (again(row).status, row.spent) == ("succeeded", 0)


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_the_daily_cap_leaves_work_in_the_queue(settings):
    settings.DAILY_SPEND_CAP = Decimal("0.05")
    (row,) = queued(None)
    generation.run(row.pk)
    assert (again(row).status, row.outcome, row.attempt, row.attempts_left) == ("queued", "spend_cap", 0, 8)
    assert "DAILY_SPEND_CAP" in row.error
    assert not Call.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_limit_sends_work_back_into_the_queue_without_using_an_attempt(settings, monkeypatch):
    monkeypatch.setattr(offering_calls, "ARENA_MAX_WAIT", 0.0)
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1, "rate": 0}
    (row,) = queued(None)
    lease = take("simulated-openai", 30)
    for _ in range(6):  # more often than there are attempts
        Generation.objects.update(due_at=timezone.now())
        generation.run(row.pk)
    assert (again(row).status, row.outcome, row.attempt, row.attempts_left) == ("queued", "rate_limited", 0, 8)
    assert "SIMULATED_OPENAI_CONCURRENCY" in row.error
    assert row.due_at > timezone.now()
    assert not Call.objects.exists()
    give_back(lease)
    Generation.objects.update(due_at=timezone.now())
    generation.run(row.pk)
    assert (again(row).status, row.attempt) == ("succeeded", 1)


@pytest.mark.usefixtures("_billed")
def test_planning_above_a_cap_is_refused_with_the_figures_and_the_way_out(curator, settings):
    (row,) = queued("0.15")
    make.make_prompt(row.prompt.competition)
    address = f"/admin/arena/competition/{row.prompt.competition.pk}/ask/"
    form = {"model": [row.image_model.pk]}
    page = curator.post(address, form, follow=True).content.decode()
    assert "$0.00 are spent in this competition, $0.10 more are queued, and this would cost $0.10" in page
    assert "raise the cap on the competition" in page
    assert Generation.objects.count() == 1
    type(row.prompt.competition).objects.update(spend_cap=None)
    settings.DAILY_SPEND_CAP = Decimal("0.15")
    page = curator.post(address, form, follow=True).content.decode()
    assert "more than the $0.15 that DAILY_SPEND_CAP allows a day" in page
    settings.DAILY_SPEND_CAP = Decimal("0.20")
    page = ask_for(curator, row.prompt.competition, **form)
    assert "1 image of 1 model queued, for about $0.10" in page
    assert "of $0.20 a day" in page


@pytest.mark.usefixtures("_billed")
def test_planning_counts_what_is_under_way(curator, settings):
    (row,) = queued("0.15")
    competition = row.prompt.competition
    assert generation.claim(row.pk) is not None
    make.make_prompt(competition)
    address, form = f"/admin/arena/competition/{competition.pk}/ask/", {"model": [row.image_model.pk]}
    page = curator.post(address, form, follow=True).content.decode()
    assert "$0.00 are spent and $0.10 under way in this competition, and this would cost $0.10" in page
    type(competition).objects.update(spend_cap=None)
    settings.DAILY_SPEND_CAP = Decimal("0.15")
    page = curator.post(address, form, follow=True).content.decode()
    assert "$0.00 are spent today, $0.10 more are queued, and this would cost $0.10" in page


def test_caps_are_watched_until_their_competition_closes():
    now = timezone.now()
    closing = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(minutes=1)}
    make.make_competition()
    unending = make.make_competition(spend_cap=Decimal(1))
    open_still = make.make_competition(spend_cap=Decimal(2), **closing)
    make.make_competition(spend_cap=Decimal(3), **closing | {"closes_at": now - timedelta(minutes=1)})
    nothing = spend_cap.Spent(Decimal(0), Decimal(0))
    assert spend_cap.of_capped() == [(open_still, nothing), (unending, nothing)]


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_under_a_cap_an_image_without_a_price_counts_as_the_ceiling(curator, settings):
    settings.UNKNOWN_PRICE_CEILING = Decimal("0.30")
    first, second = queued("0.50", images=2, price=None)
    generation.run(first.pk)
    generation.run(second.pk)
    assert (again(first).status, first.spent) == ("succeeded", Decimal("0.30"))
    assert Call.objects.get().cost is None  # what is unknown stays unknown
    assert "this image costs about $0.30" in again(second).error
    make.make_prompt(first.prompt.competition)
    address = f"/admin/arena/competition/{first.prompt.competition.pk}/ask/"
    assert "That counts $0.30 for each image of 1 model whose price is not known." in " ".join(
        curator.get(address).content.decode().split()
    )
    page = curator.post(address, {"model": [first.image_model.pk]}, follow=True).content.decode()
    assert "more than its cap of $0.50" in page
    assert Generation.objects.count() == 2


def test_the_page_says_what_is_wrong_with_an_offering(curator):
    (row,) = queued(None)
    for _ in range(4):
        make.make_call(row.image_model.offerings.get(), outcome="timeout", error="too late")
    page = curator.get(f"/admin/arena/competition/{row.prompt.competition.pk}/ask/").content.decode()
    assert "4 of 4 calls failed in the last 15 minutes" in page
