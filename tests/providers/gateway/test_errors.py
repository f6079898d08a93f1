"""What an error response says when no provider made the images: status, code, time to wait, no more than is true."""

import pytest

from providers.errors import CapReached, ContentPolicy, NotFound, NotSent, ProviderError, RateLimited, TimedOut
from providers.gateway.errors import of_provider_error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotSent("It failed 5 times in a row.", retry_after=30), 429, "rate_limit_exceeded"),
        (RateLimited("It answered 429."), 429, "rate_limit_exceeded"),
        (CapReached("The cap.", retry_after=300), 429, "spend_cap_reached"),
        (ContentPolicy("No."), 400, "moderation_blocked"),
        (TimedOut("Late."), 504, "provider_timeout"),
        (NotFound("No provider."), 404, "model_not_available"),
        (NotFound("It answered 404.", status=404), 502, "all_providers_failed"),
    ],
)
def test_each_kind_of_failure_has_its_status_and_its_own_words(error: ProviderError, status: int, code: str):
    response = of_provider_error(error, timeout=240)
    assert (response.status, response.code) == (status, code)
    assert str(error) in response.message


def test_a_provider_that_failed_is_not_called_busy_and_names_the_time_to_wait():
    response = of_provider_error(NotSent("It failed 5 times in a row.", retry_after=29.2), timeout=240)
    assert "busy" not in response.message
    assert (response.headers["Retry-After"], response.headers["retry-after-ms"]) == ("30", "29200")


def test_a_cap_is_not_retried():
    assert of_provider_error(CapReached("The cap.", retry_after=300), timeout=240).headers["x-should-retry"] == "false"
