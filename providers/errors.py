"""Everything that can go wrong between us and a provider.

    ProviderError
    ├── ContentPolicy        the provider rejected the content           – its answer; a result, not a fault
    ├── InvalidRequest       the provider does not accept the request    – the caller
    ├── InputUnreachable     an input image could not be read            – the caller
    ├── AccountError
    │   ├── Unauthorised     bad or missing key                          – us
    │   └── OutOfCredit      the account has no money left               – us
    ├── NotFound             endpoint or model unknown                   – us (the catalogue is wrong)
    ├── RateLimited          too many requests; may carry `retry_after`  – nobody
    │   └── NotSent          throttled: our limits, a pause, a circuit   – nobody; no call was made
    │       └── CapReached   it would exceed a spending cap              – us; no call was made
    ├── TimedOut             not done in time                            – the provider
    ├── ProviderFailure      5xx, a failed job                           – the provider
    ├── NetworkError
    │   ├── ConnectFailed    nothing was sent                            – the provider
    │   └── AnswerLost       sent, but the answer never came             – the provider; possibly charged
    ├── BadOutput            success without a usable image              – the provider; possibly charged
    └── Cancelled            we cancelled it                             – us

Every leaf says whether the same offering may be tried again (`retry`), whether another offering may be tried
(`fall_back`), and whose fault it is (`fault`). Only faults of the provider count against its success rate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal

Fault = Literal["provider", "caller", "us", "nobody"]


class ProviderError(Exception):
    """A call to a provider that brought no image.

    `str(error)` is public: it is shown to callers, stored and streamed, and holds nothing but our own sentences – and,
    where the caller is at fault, the provider's text without the secrets of the account (adapters/failures.py).
    `detail` is for staff: the provider's text or the technical cause, without secrets too. It is stored with the call
    and shown on the call's own page of the admin, nowhere else.

    `retry_after` is in seconds when the provider named a time. `possibly_charged` is True when the provider may have
    done (and billed) the work although we hold no image. `job_is_open` is True when a job it has accepted may still
    bring the image: who has its ticket asks for it again instead of buying another. Routing adds `spent`, the cost of
    all attempts in US dollars, and `attempts`, one `results.Attempt` for each.
    """

    outcome: ClassVar[str] = "provider_error"
    retry: ClassVar[bool] = False
    fall_back: ClassVar[bool] = True
    fault: ClassVar[Fault] = "provider"

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        possibly_charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.possibly_charged = possibly_charged
        self.job_is_open = False
        self.spent = Decimal(0)
        self.attempts: tuple[Any, ...] = ()


class ContentPolicy(ProviderError):
    outcome = "content_policy"
    fall_back = True  # the gateway may try elsewhere; the arena never does: a policy refusal is a result
    fault = "nobody"


class InvalidRequest(ProviderError):
    outcome = "invalid_request"
    fault = "caller"


class InputUnreachable(ProviderError):
    outcome = "input_unreachable"
    fall_back = False
    fault = "caller"


class AccountError(ProviderError):
    outcome = "account"
    fault = "us"


class Unauthorised(AccountError):
    outcome = "auth"


class OutOfCredit(AccountError):
    outcome = "billing"


class NotFound(ProviderError):
    outcome = "not_found"
    fault = "us"


class RateLimited(ProviderError):
    outcome = "rate_limited"
    retry = True
    fault: ClassVar[Fault] = "nobody"


class NotSent(RateLimited):
    """Throttled on our side: nothing was sent, so there is no Call and no attempt was used up.

    `retry_after` is in seconds. `own_limit` is True when the provider would accept the request but our own limit on
    requests to it is reached.
    """

    def __init__(self, message: str, *, retry_after: float, own_limit: bool = False, detail: str = "") -> None:
        super().__init__(message, detail=detail, retry_after=retry_after)
        self.own_limit = own_limit


class CapReached(NotSent):
    outcome = "spend_cap"
    fall_back = False
    fault = "us"


class TimedOut(ProviderError):
    outcome = "timeout"


class ProviderFailure(ProviderError):
    outcome = "provider_error"
    retry = True


class NetworkError(ProviderError):
    outcome = "network"


class ConnectFailed(NetworkError):
    retry = True


class AnswerLost(NetworkError):
    """The request was sent and the answer lost: the job may exist and be billed, so it is not sent again blindly."""


class BadOutput(ProviderError):
    outcome = "bad_output"


class Cancelled(ProviderError):
    outcome = "cancelled"
    fall_back = False
    fault = "us"


_KINDS: tuple[type[ProviderError], ...] = (
    ContentPolicy, InvalidRequest, InputUnreachable, Unauthorised, OutOfCredit, NotFound, RateLimited,
    TimedOut, ProviderFailure, NetworkError, BadOutput, Cancelled,
)  # fmt: skip
OUTCOMES: tuple[str, ...] = ("ok", *dict.fromkeys(kind.outcome for kind in _KINDS))
OUTCOMES_AT_FAULT: tuple[str, ...] = tuple(kind.outcome for kind in _KINDS if kind.fault == "provider")
