"""Several images in one request: native where an offering can, in parallel calls where not, honest when some fail."""

from __future__ import annotations

import threading
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from providers import routing
from providers.adapters import ADAPTERS
from providers.adapters.base import Account
from providers.errors import BadOutput, Cancelled, InvalidRequest, ProviderFailure
from providers.models import Call, Reservation
from providers.offering import normalisation
from providers.request import ImageRequest, SourceImage
from providers.routing import offering_calls
from providers.samples.renderer import SAMPLE_MODELS
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulated")]
SEED = {"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"}
SIZE = {"family": "pixels", "format": "object", "field": "image_size"}
FOUR = {"n": {"field": "num_images", "max": 4}, "accepts": [SEED], "size": SIZE}
ONE = {"accepts": [SEED], "size": SIZE}


def request(n: int, prompt: str = "", **fields) -> ImageRequest:
    """A prompt of its own: the simulator counts how often it was asked."""
    return ImageRequest(prompt=prompt or f"A kite {uuid.uuid4()}", size="96x64", n=n, **fields)


def offered(*parameters, provider: str = "simulated-fal"):
    """A model whose offerings differ in how many images a call brings; the first is the cheapest."""
    model = make.make_model()
    for number, (own, key) in enumerate(zip(parameters, (provider, "simulated-openai"), strict=False), 1):
        size = own["size"] if key == "simulated-fal" else {"family": "pixels", "format": "WxH", "field": "size"}
        price = Decimal(number) / 100
        make.make_offering(model, key, endpoint=f"studio/{model.slug}", parameters={**own, "size": size}, price=price)
    return model


def ask(model, request: ImageRequest, **options):
    return routing.generate(model, request, "gateway", **{"time_limit": 30, **options})


def test_above_what_one_call_brings_several_are_made_and_their_cost_is_summed():
    model = offered(FOUR)
    generated = ask(model, request(10, seed=7))
    assert [attempt.requested for attempt in generated.attempts] == [4, 4, 2]
    assert (len(generated.images), generated.missing, generated.failure) == (10, 0, None)
    assert len({image.image.data for image in generated.images}) == 10  # no seed was used twice
    assert generated.cost == Decimal("0.10")
    assert (
        {image.size for image in generated.images} == {image.resolved_size for image in generated.images} == {(96, 64)}
    )
    rows = Call.objects.filter(request_id=generated.id)
    assert sorted(rows.values_list("n", flat=True)) == [2, 4, 4]
    assert rows.filter(ends_request=True).count() == 1


@pytest.mark.parametrize("slug", [model.slug for model in SAMPLE_MODELS])
def test_two_edits_of_one_request_differ_as_those_of_a_generator_do(slug):
    """Also where nothing in the instruction leaves room for chance, and whether one call brings both or two do."""
    source = SourceImage(make.picture("to edit", 96, 64), "image/png")
    images = {"images": {"field": "image_urls", "list": True, "max": 1}}
    for parameters in (FOUR | images, ONE | images):
        model = make.make_model()
        make.make_offering(model, "simulated-fal", mode="edit", endpoint=f"studio/{slug}/edit", parameters=parameters)
        generated = ask(model, request(2, "Make it warmer", mode="edit", images=(source,)))
        assert len({image.image.data for image in generated.images}) == 2


def test_what_one_offering_fails_to_make_is_asked_of_the_next():
    model = offered(ONE, ONE)
    generated = ask(model, request(3, f"A kite {uuid.uuid4()} [sim:503-after=2]"))
    assert (len(generated.images), generated.missing) == (3, 0)
    made = [(attempt.number, attempt.provider, attempt.delivered, attempt.outcome) for attempt in generated.attempts]
    assert sorted(made) == [
        (1, "simulated-fal", 0, "provider_error"),
        (1, "simulated-fal", 1, "ok"),
        (1, "simulated-fal", 1, "ok"),
        (2, "simulated-openai", 1, "ok"),
    ]
    assert Call.objects.get(ends_request=True).offering.provider == "simulated-openai"


def test_what_nobody_makes_is_reported_beside_what_came():
    model = offered(ONE)
    generated = ask(model, request(3, f"A kite {uuid.uuid4()} [sim:500-after=1]"))
    assert (len(generated.images), generated.missing) == (1, 2)
    assert isinstance(generated.failure, ProviderFailure)
    end = Call.objects.get(ends_request=True)
    assert (end.outcome, end) == ("ok", generated.call)


def test_after_a_failure_no_further_call_is_started():
    model = offered(ONE)
    with pytest.raises(ProviderFailure) as caught:
        ask(model, request(10, f"A kite {uuid.uuid4()} [sim:500]"))
    assert len(caught.value.attempts) <= offering_calls.PARALLEL_CALLS
    assert Call.objects.filter(ends_request=True).count() == 1


def test_what_no_offering_can_do_is_refused_before_anything_is_sent():
    model = offered(FOUR)
    for n in (0, normalisation.MOST_IMAGES + 1):
        with pytest.raises(InvalidRequest, match="ask for 1 to 10"):
            ask(model, request(n))
    assert not Call.objects.exists()


@pytest.mark.parametrize(("provider", "more"), [("simulated-fal", ""), ("simulated-replicate", " [sim:no-wait]")])
def test_a_caller_that_is_gone_stops_the_polls_and_the_job_is_cancelled(simulator, provider, more):
    """The job would take a minute; it runs when the caller hangs up, and nobody else is asked."""
    model = offered(ONE, ONE, provider=provider)
    wire = provider.removeprefix("simulated-")
    journal = lambda event: simulator.journal().get(wire, {}).get(f"studio/{model.slug}", {}).get(event)  # noqa: E731
    stop, caught = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            ask(model, request(1, f"A kite {uuid.uuid4()} [sim:slow=60]{more}"), time_limit=90, stop=stop)
        except Cancelled as error:
            caught.append(error)
        finally:
            connection.close()

    caller = threading.Thread(target=run)
    caller.start()
    while not journal("running"):
        caller.join(0.02)
    stop.set()
    caller.join(20)
    assert caught
    assert journal("cancelled") == 1
    (call,) = Call.objects.all()
    assert (call.outcome, call.ends_request, call.offering.provider) == ("cancelled", True, provider)


def test_a_caller_who_was_gone_before_costs_nothing(simulator):
    model = offered(ONE)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        ask(model, request(1), stop=stop)
    assert not Call.objects.exists()


def test_what_was_counted_and_billed_is_stored_with_the_call():
    model = make.make_model()
    make.make_offering(model, "simulated-openai", endpoint=f"studio/{model.slug}")
    (image,) = ask(model, request(1)).images
    assert Call.objects.get(pk=image.call.pk).usage["output_tokens"] > 0
    fal = offered(ONE)
    (image,) = ask(fal, request(1)).images
    assert image.call.billed_units == Decimal("0.0059")  # 96 × 64 pixels of 2^20


def test_a_call_whose_adapter_fails_by_a_fault_of_its_own_is_recorded_as_one_that_may_be_billed(monkeypatch):
    monkeypatch.setattr(Account, "is_simulated", False)

    class Broken:
        def generate(self, *_: object, **__: object) -> None:
            raise KeyError("a field of the answer")

    monkeypatch.setitem(ADAPTERS, "fal", Broken())
    with pytest.raises(BadOutput, match="could not be read"):
        ask(offered(ONE), request(1))
    (call,) = Call.objects.all()
    assert (call.outcome, call.possibly_charged, call.spent, call.detail) == (
        "bad_output",
        True,
        Decimal("0.01"),
        "KeyError",
    )
    assert not Reservation.objects.exists()


def test_several_images_of_a_call_that_may_have_been_charged_count_all(monkeypatch):
    monkeypatch.setattr(Account, "is_simulated", False)
    model = offered(FOUR)
    with pytest.raises(Exception, match="image") as caught:
        ask(model, request(4, f"A kite {uuid.uuid4()} [sim:no-image]"))
    assert caught.value.spent == Call.objects.get().cost == Decimal("0.04")


@given(
    n=st.integers(1, normalisation.MOST_IMAGES),
    most=st.integers(1, 12),
    first=st.integers(0, 9),
    span=st.integers(20, 2**32),
    at=st.floats(0, 1),
)
def test_calls_add_up_and_no_seed_comes_twice(n, most, first, span, at):
    parameters = {"n": {"field": "n", "max": most}, "accepts": [{**SEED, "minimum": 1, "maximum": span}]}
    seed = 1 + round(at * (span - 1))
    parts = normalisation.split(request(n, seed=seed), parameters, first=first)
    assert sum(part.n for part in parts) == n
    assert all(1 <= part.n <= most for part in parts)
    assert len({part.seed for part in parts}) == len(parts)
    assert all(1 <= part.seed <= span for part in parts)
    if first == 0:
        assert parts[0].seed == seed
