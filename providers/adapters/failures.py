"""The border between what a provider says and what may be shown, stored or streamed; and what HTTP statuses mean.

Every error of an adapter is made by `failure`, which decides what of the provider's text is public:

    the caller is at fault   (InvalidRequest, ContentPolicy)  our sentence and the provider's text, without secrets
    anything else            our sentence alone: the text may name the operator's keys, hosts, organisations

In both cases `ProviderError.detail` holds the provider's text for staff, without secrets as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.errors import (
    AnswerLost,
    BadOutput,
    Cancelled,
    ConnectFailed,
    ContentPolicy,
    InputUnreachable,
    InvalidRequest,
    NotFound,
    OutOfCredit,
    ProviderError,
    ProviderFailure,
    RateLimited,
    TimedOut,
    Unauthorised,
)

from .base import Account
from .redaction import redacted, storable

MAX_QUOTED = 300  # characters of a provider's text in a public message
MAX_DETAIL = 1_000

QUOTED: frozenset[type[ProviderError]] = frozenset({InvalidRequest, ContentPolicy})

PUBLIC: dict[type[ProviderError], str] = {
    ContentPolicy: "{name} rejected the content.",
    InvalidRequest: "{name} did not accept the request.",
    InputUnreachable: "{name} could not read a source image.",
    Unauthorised: "{name} did not accept the credentials of this installation.",
    OutOfCredit: "The account of this installation at {name} is out of credit.",
    NotFound: "{name} does not know this endpoint or model.",
    RateLimited: "{name} receives too many requests.",
    TimedOut: "{name} did not answer in time.",
    ProviderFailure: "{name} failed to make the image.",
    ConnectFailed: "{name} could not be reached.",
    AnswerLost: "The answer of {name} was lost.",
    BadOutput: "{name} answered without a usable image.",
    Cancelled: "The job was cancelled at {name}.",
}


def failure(
    kind: type[ProviderError],
    account: Account,
    said: Any = "",
    *,
    public: str = "",
    status: int | None = None,
    retry_after: float | None = None,
    possibly_charged: bool = False,
) -> ProviderError:
    """An error of `kind`. `said` is text of the provider or about it; `public` replaces our sentence (a constant with
    `{name}`, never text from outside). `status` is the HTTP status, `retry_after` in seconds.
    """
    text = redacted(said, account)
    message = (public or PUBLIC[kind]).format(name=account.name)
    if kind in QUOTED and text:
        message = f"{message.rstrip('.')}: {text[:MAX_QUOTED]}"
    answered = f"{account.name} answered {status}: " if status is not None else ""
    return kind(
        message,
        detail=f"{answered}{text}"[:MAX_DETAIL].removesuffix(": "),
        status=status,
        retry_after=retry_after,
        possibly_charged=possibly_charged,
    )


def without_secrets(error: ProviderError, account: Account) -> ProviderError:
    """The same error of a part that knows no account (a download), with this account's secrets out of its detail."""
    error.detail = redacted(error.detail, account)[:MAX_DETAIL]
    return error


# Statuses ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# What an HTTP status means on every wire. What one provider means differently is in the table of its adapter.
STATUSES: dict[int, type[ProviderError]] = {
    401: Unauthorised,
    402: OutOfCredit,
    403: Unauthorised,
    404: NotFound,
    407: Unauthorised,
    408: TimedOut,
    409: ProviderFailure,
    410: NotFound,
    423: ProviderFailure,
    425: ProviderFailure,
    429: RateLimited,
    499: Cancelled,
    504: TimedOut,
    522: ConnectFailed,
    523: ConnectFailed,
    524: TimedOut,  # a gateway gave up waiting; the work behind it may go on
}


def kind_of_status(status: int, exceptions: Mapping[int, type[ProviderError]] | None = None) -> type[ProviderError]:
    """The class of error of an HTTP status that is no success, by the adapter's `exceptions`, then by STATUSES.

    Any other status from 400 to 499 says that the request is wrong; all the rest is the provider's failure.
    """
    if exceptions and status in exceptions:
        return exceptions[status]
    if status in STATUSES:
        return STATUSES[status]
    return InvalidRequest if 400 <= status < 500 else ProviderFailure


# Error bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────


def message_of(body: Mapping[str, Any]) -> str:
    """The sentence for people in any error body that we know: OpenAI's, Google's, FastAPI's, RFC 9457's; "" if none."""
    for name in ("error", "detail", "message", "title", "msg", "errors"):
        if text := _text_of(body.get(name)):
            return storable(text)
    return ""


def _text_of(value: Any) -> str:
    match value:
        case str():
            return value
        case {"loc": loc, "msg": msg}:
            place = ".".join(map(str, loc)) if isinstance(loc, list) else str(loc)
            return f"{place}: {_text_of(msg)}"
        case {"message": inner} | {"msg": inner} | {"detail": inner} | {"title": inner}:
            return _text_of(inner)
        case list():
            return "; ".join(filter(None, map(_text_of, value[:20])))
        case _:
            return ""
