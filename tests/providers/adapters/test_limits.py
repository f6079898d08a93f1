"""What becomes of a job when polling fails, time runs out, or the worker is stopped."""

from __future__ import annotations

import httpx
import pytest

from providers.errors import (
    AnswerLost,
    TimedOut,
)

from .wires import POLLED, QUEUES


@pytest.mark.parametrize("wire", POLLED)
@pytest.mark.parametrize("scenario", ["poll-503=3", "poll-reset=3", "poll-503=2] [sim:poll-reset=2"])
def test_trouble_while_polling_is_waited_out(line_to, wire, scenario):
    line = line_to(wire)
    assert line.ask(f"a kite [sim:no-wait] [sim:{scenario}]").images
    assert line.journal["created"] == 1


@pytest.mark.parametrize("wire", QUEUES)
def test_a_job_that_cannot_be_asked_about_any_more_is_cancelled_and_possibly_charged(line_to, wire):
    line = line_to(wire)
    with pytest.raises(AnswerLost) as caught:
        line.ask("a kite [sim:no-wait] [sim:poll-503=99] [sim:slow=30]")
    assert caught.value.possibly_charged
    assert line.journal["cancelled"] == 1


@pytest.mark.parametrize("wire", QUEUES)
def test_our_own_time_limit_cancels_the_job(line_to, wire):
    line = line_to(wire)
    with pytest.raises(TimedOut) as caught:
        line.ask("a kite [sim:slow=30]", seconds=0.7)
    assert caught.value.possibly_charged
    assert line.journal["cancelled"] == 1
    assert line.journal["running"] == 0


def test_a_job_that_never_started_is_not_charged_by_replicate(line_to):
    line = line_to("replicate")
    with pytest.raises(TimedOut) as caught:
        line.ask("a kite [sim:queue=30]", seconds=0.7)
    assert not caught.value.possibly_charged
    assert line.journal["cancelled"] == 1


def test_replicate_is_waited_with_first_and_polled_then(line_to):
    line = line_to("replicate")
    answer = line.ask("a kite [sim:slow=1.4]", seconds=2.2)  # leaves one second for the first answer
    assert answer.ttfb is None  # polled
    assert answer.images
    assert line.journal["created"] == 1


@pytest.mark.parametrize("wire", ["fal-run", "openai", "bfl", "gemini"])
def test_the_time_limit_of_a_call_that_cannot_be_cancelled_leaves_it_possibly_charged(line_to, wire):
    with pytest.raises(TimedOut) as caught:
        line_to(wire).ask("a kite [sim:slow=20]", seconds=0.5)
    assert caught.value.possibly_charged


@pytest.mark.parametrize("wire", QUEUES)
def test_a_worker_that_is_stopped_cancels_its_job(line_to, http, wire):
    line = line_to(wire)
    polls = []

    def stop_at_second_poll(request: httpx.Request) -> None:
        polls.append(request.url)
        if request.method == "GET" and len(polls) == 3:
            raise SystemExit

    with httpx.Client(event_hooks={"request": [stop_at_second_poll]}, trust_env=False) as client:
        line.http = client
        with pytest.raises(SystemExit):
            line.ask("a kite [sim:slow=30]", seconds=1.9)
    assert line.journal["cancelled"] == 1
