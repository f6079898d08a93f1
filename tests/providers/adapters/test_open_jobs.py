"""A job that is not awaited any longer is over where the provider agreed to cancel it, and open where it did not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline
from providers.errors import AnswerLost, ProviderError, TimedOut
from providers.request import ProviderCall

from .test_recorded import ACCOUNTS, KEY

QUEUE = "https://queue.fal.run/owner/model/requests/1"
SUBMITTED: dict[str, Any] = {
    "fal": {
        "request_id": "1", "status_url": f"{QUEUE}/status", "response_url": QUEUE, "cancel_url": f"{QUEUE}/cancel",
    },
    "replicate": {"id": "1", "status": "starting"},
    "bfl": {"id": "1", "polling_url": "https://api.eu1.bfl.ai/v1/get_result?id=1"},
}  # fmt: skip


def failure(wire: str, *, poll: httpx.Response, cancel: httpx.Response, seconds: float = 30) -> ProviderError:
    """What a job fails with whose polls and whose cancellation are answered so."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/cancel"):
            return cancel
        return poll if request.method == "GET" else httpx.Response(200, json=SUBMITTED[wire])

    account = Account(wire, wire, wire, ACCOUNTS[wire], domains=("bfl.ai",), api_key=KEY)
    call = ProviderCall("owner/model", {"prompt": "a red kite over dunes"}, on_submitted=lambda _: None)
    with httpx.Client(transport=httpx.MockTransport(answer)) as http, pytest.raises(ProviderError) as caught:
        ADAPTERS[wire].generate(call, account=account, http=http, deadline=Deadline(seconds))
    return caught.value


@pytest.mark.parametrize(
    ("wire", "cancel", "is_open"),
    [
        ("fal", httpx.Response(202, json={"status": "CANCELLATION_REQUESTED"}), False),
        ("fal", httpx.Response(400, json={"status": "ALREADY_COMPLETED"}), True),
        ("fal", httpx.Response(503), True),
        ("fal", httpx.Response(200, text="<html>"), True),
        ("replicate", httpx.Response(200, json={"id": "1", "status": "canceled"}), False),
        ("replicate", httpx.Response(200, json={"id": "1", "status": "succeeded"}), True),
        ("replicate", httpx.Response(503), True),
        ("replicate", httpx.Response(200, text="<html>"), True),
        ("bfl", httpx.Response(404), True),  # nobody can cancel it
    ],
)
def test_a_job_is_open_unless_the_provider_agreed_to_cancel_it(wire, cancel, is_open):
    lost = failure(wire, poll=httpx.Response(503), cancel=cancel)
    assert (type(lost), lost.job_is_open, lost.possibly_charged) == (AnswerLost, is_open, True)
    running = httpx.Response(200, json={**SUBMITTED[wire], "status": "IN_PROGRESS"})
    late = failure(wire, poll=running, cancel=cancel, seconds=0.2)
    assert (type(late), late.job_is_open) == (TimedOut, is_open)
    assert late.possibly_charged or not is_open


def test_a_job_that_is_not_known_is_not_open():
    lost = failure("bfl", poll=httpx.Response(404), cancel=httpx.Response(404))
    assert (type(lost), lost.job_is_open) == (AnswerLost, False)
