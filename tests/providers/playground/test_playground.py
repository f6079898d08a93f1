"""The playground through its URLs: trials, prices, budgets, privacy, suggestions – without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from arena import suggestions
from arena.models import Suggestion
from providers import cache
from providers.models import ApiKey, Call, GatewayRequest, Offering, ProviderJob, Trial
from providers.playground import trials
from tests import factories as make
from tests.providers.gateway.conftest import offered
from tests.providers.killed import expire_leases, submit_and_die

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulated")]
FORM = {"prompt": "A red kite", "model": ["sample-a", "sample-b"], "size": "128x128", "seed": "7", "action": "generate"}


@pytest.fixture(autouse=True)
def models(simulated):
    return [offered("sample-a"), offered("sample-b", "simulated-replicate")]


def work() -> None:
    """What Celery beat and the workers do."""
    for pk in trials.take_due():
        trials.run(pk)


def try_out(client, **fields):
    answer = client.post("/playground/", FORM | fields)
    assert answer.status_code == 302, re.findall(r'id="problem">(.*?)<', answer.content.decode())
    return answer["Location"]


def test_a_prompt_is_tried_side_by_side(client):
    url = try_out(client)
    waiting = client.get(url).content.decode()
    assert waiting.count("Waiting for a worker") == 2
    assert 'http-equiv="refresh"' in waiting  # without JavaScript it looks again by itself
    work()
    page = client.get(url).content.decode()
    assert "http-equiv" not in page
    images = re.findall(r'<img src="(/playground/images/[^"]+)" alt="Sample [AB]: A red kite"', page)
    assert len(set(images)) == 2
    assert {client.get(image)["Content-Type"] for image in images} <= {"image/png", "image/webp"}
    assert [trial.seed for trial in Trial.objects.all()] == [7, 7]
    assert "Sample A" in page
    assert "sample</span>" in page
    assert set(Call.objects.values_list("caller", flat=True)) == {"playground"}
    assert "[&quot;sample-a&quot;, &quot;sample-b&quot;]" in page  # the code of this very request
    assert client.get(f"{url}results/").content.decode().startswith("<div")
    assert 'name="seed" inputmode="numeric" pattern="[0-9]*" value=""' in page  # the next images are others
    again = re.search(r'href="(/playground/\?[^"]+seed=7)"', page)[1].replace("&amp;", "&")
    assert 'value="7"' in client.get(again).content.decode()
    assert "by the price lists" not in page  # nothing was paid
    assert page.count("(sample price)") == 2


def test_trials_of_another_visitor_are_not_found(client):
    url = try_out(client)
    work()
    image = re.search(r"/playground/images/[^\"]+", client.get(url).content.decode())
    stranger = Client()
    assert stranger.get(url).status_code == 404
    assert stranger.get(image[0]).status_code == 404
    assert stranger.post("/suggestions/", {"trials": url.split("/")[2]}).status_code == 404


def test_an_uploaded_image_is_edited(client):
    photo = SimpleUploadedFile("photo.bin", make.picture("photo", 128, 128), "text/plain")
    url = try_out(client, image=photo, model=["sample-a"])
    work()
    trial = Trial.objects.get()
    assert (trial.mode, trial.status, len(trial.sources)) == ("edit", "done", 1)
    assert "images.edit(" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": " "}, "Write what the image should show"),
        ({"prompt": "x" * 2001}, "2001 characters"),
        ({"model": []}, "Choose a model"),
        ({"model": ["nobody"]}, "There is no model “nobody”."),
        ({"size": "huge"}, "is not a size"),
        ({"seed": "many"}, "seed: &#x27;many&#x27; is not allowed"),
        ({"image": SimpleUploadedFile("a.png", b"<svg/>")}, "the image cannot be used"),
        ({"key": "ia_wrong"}, "unknown or revoked"),
    ],
)
def test_an_invalid_form_says_what_to_change(client, fields, message):
    answer = client.post("/playground/", FORM | fields)
    assert answer.status_code in (400, 401)
    assert message in answer.content.decode()
    assert not Trial.objects.exists()


def test_the_price_is_shown_before_and_no_provider_is_called(client):
    page = client.post("/playground/", FORM | {"action": "price"}).content.decode()
    assert "$0.02" in page
    assert not Trial.objects.exists()


def test_a_failure_is_shown_with_its_reason(client):
    url = try_out(client, prompt="Snow [sim:policy]", model=["sample-a"])
    work()
    assert "No image" in client.get(url).content.decode()
    assert Trial.objects.get().error


def test_visitors_are_throttled_and_the_wait_is_shown(client, settings):
    settings.PLAYGROUND_RATE = 2
    try_out(client)
    try_out(client)
    answer = client.post("/playground/", FORM)
    assert answer.status_code == 429
    assert "Wait" in answer.content.decode()


def made_real(settings, *names: str) -> None:
    """As with providers that take money; nothing is sent to them."""
    settings.PROVIDERS = {
        key: config | {"simulated": False, "urls": dict.fromkeys(config["urls"], "https://provider.invalid")}
        if not names or key in names
        else config
        for key, config in settings.PROVIDERS.items()
    }


def test_trials_that_are_not_over_count_against_the_free_budget(client, settings):
    made_real(settings)
    settings.PLAYGROUND_DAILY_BUDGET = Decimal("0.015")
    try_out(client, model=["sample-a"])
    assert client.post("/playground/", FORM | {"model": ["sample-a"]}).status_code == 402
    assert Trial.objects.count() == 1


def test_a_model_counts_with_the_dearest_provider_that_may_be_tried_not_with_the_cheapest(client, settings):
    offered("sample-c", "simulated-openai", "simulated-replicate")  # $0.01 and $0.02
    made_real(settings, "simulated-replicate")
    settings.PLAYGROUND_DAILY_BUDGET = Decimal("0.015")
    assert client.post("/playground/", FORM | {"model": ["sample-c"]}).status_code == 402
    try_out(client, model=["sample-a"])  # simulated: it costs nothing
    made_real(settings)
    assert client.post("/playground/", FORM | {"model": ["sample-c"]}).status_code == 402


def test_real_models_run_for_visitors_only_within_the_free_budget(client, settings):
    made_real(settings)
    settings.PLAYGROUND_DAILY_BUDGET = None
    assert client.post("/playground/", FORM | {"model": ["sample-a"]}).status_code == 402
    settings.PLAYGROUND_DAILY_BUDGET = Decimal("0.015")
    make_real = Trial.objects.all
    try_out(client, model=["sample-a"])
    make_real().update(status="done", file="playground/x.png", spent=Decimal("0.01"))
    answer = client.post("/playground/", FORM | {"model": ["sample-a"]})
    assert answer.status_code == 402
    assert "free budget ($0.005)" in answer.content.decode()


def test_with_a_key_its_budget_pays_and_its_log_lists_it(client, settings):
    settings.PLAYGROUND_RATE = 1
    key, secret = ApiKey.make("guest", monthly_budget=Decimal("0.03"))
    for _ in range(3):
        try_out(client, key=secret, model=["sample-a"])
        work()
    assert client.post("/playground/", FORM | {"key": secret, "model": ["sample-a"]}).status_code == 402
    assert GatewayRequest.objects.filter(api_key=key, status="ok").count() == 3


def test_after_a_day_nothing_is_left(client):
    try_out(client, image=SimpleUploadedFile("a.png", make.picture("a", 128, 128)), model=["sample-a"])
    work()
    trial = Trial.objects.get()
    trials.prune()
    assert Trial.objects.exists()
    Trial.objects.update(asked_at=timezone.now() - timedelta(days=2))
    trials.prune()
    assert not Trial.objects.exists()
    assert not default_storage.exists(trial.file)
    assert not default_storage.exists(trial.sources[0])
    gone = client.get(f"/playground/{trial.group}/")
    assert gone.status_code == 404
    assert "stored for a day" in gone.content.decode()


def test_two_workers_make_one_image_and_a_lost_message_is_sent_again(client):
    try_out(client, model=["sample-a"])
    (pk,) = trials.take_due()
    assert trials.take_due() == []
    Trial.objects.update(sent_at=timezone.now() - timedelta(minutes=1))
    assert trials.take_due() == [pk]
    trials.run(pk)
    trials.run(pk)
    assert Call.objects.count() == 1


@pytest.mark.parametrize("with_key", [False, True])
def test_a_trial_whose_worker_was_killed_is_taken_over_and_bought_once(client, simulator, with_key):
    key = {"key": ApiKey.make("mine")[1]} if with_key else {}
    url = try_out(client, model=["sample-b"], **key)
    (pk,) = trials.take_due()
    Trial.objects.update(status="running", started_at=timezone.now())
    offering = Offering.objects.get(image_model__slug="sample-b", mode="text-to-image")
    submit_and_die(offering, request_id=Trial.objects.get().call_request_id)
    bought = simulator.journal()["replicate"][offering.endpoint]["created"]
    trials.run(pk)
    assert Trial.objects.get().status == "running"  # its worker may be alive
    expire_leases()
    Trial.objects.update(sent_at=timezone.now() - timedelta(minutes=1))
    work()
    assert re.search("/playground/images/", client.get(url).content.decode())
    assert simulator.journal()["replicate"][offering.endpoint]["created"] == bought
    assert (Call.objects.count(), ProviderJob.objects.count()) == (1, 0)


def test_nobody_is_asked_while_images_cannot_be_stored(client, settings):
    url = try_out(client, model=["sample-a"])
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    (settings.MEDIA_ROOT / "probe").write_bytes(b"")  # a file where a folder is needed
    cache.clear_process_caches()
    work()
    assert Trial.objects.get().status == "failed"
    assert "Images cannot be stored just now" in client.get(url).content.decode()
    assert not Call.objects.exists()


def test_a_prompt_is_suggested_once_and_becomes_a_prompt_of_a_competition(client, admin_client):
    url = try_out(client, model=["sample-a"])
    work()
    for _ in range(2):
        assert client.post("/suggestions/", {"trials": url.split("/")[2]})["Location"] == url
    suggestion = Suggestion.objects.get()
    assert "thank you" in client.get(url).content.decode()
    competition = make.make_competition()
    action = {"action": "accept", "_selected_action": [suggestion.pk], "competition": competition.pk}
    admin_client.post("/admin/arena/suggestion/", action)
    assert competition.prompts.get().text == "A red kite"
    assert "The curators took it" in client.get(url).content.decode()
    Suggestion.objects.update(prompt=None, decline_reason="We have one like it.")
    assert "The curators declined it: We have one like it." in client.get(url).content.decode()
    other = make.make_competition(make.make_category("image-editing", "edit"))
    with pytest.raises(suggestions.NotAccepted):
        suggestions.accept(suggestion, other)


ODD = st.text(
    alphabet=st.sampled_from(["\x00", "\n", "=", "é", "🪁", "a", " ", ":", "x", "1", ".", "\u202e"]), max_size=60
)


@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True, deadline=None
)
@given(
    fields=st.dictionaries(
        st.sampled_from(["prompt", "model", "size", "seed", "key", "action"]),
        st.one_of(ODD, st.sampled_from(["-1", "9" * 30, "1e9", "x" * 2001, "1:" + "1" * 39])),
        min_size=1,
        max_size=2,
    ),
    cookie=ODD,
)
def test_no_text_of_a_form_ends_in_an_internal_error(client, fields, cookie):
    client.cookies["playground"] = "".join(filter(str.isprintable, cookie)).encode("ascii", "ignore").decode()
    response = client.post("/playground/", FORM | fields)
    assert response.status_code in (200, 302, 400, 401, 402, 429), response.content
    Trial.objects.all().delete()
