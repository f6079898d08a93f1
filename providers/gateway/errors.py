"""Everything the gateway refuses or fails with, in the envelope that clients of OpenAI's API understand.

The official clients retry 408, 409, 429 and everything from 500 by themselves, and each retry may be another bill. So
every answer that a retry cannot improve says `x-should-retry: false`, which they obey.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from providers.errors import (
    Cancelled,
    CapReached,
    ContentPolicy,
    InputUnreachable,
    InvalidRequest,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    TimedOut,
)

DONT_RETRY = {"x-should-retry": "false"}


class Refusal(Exception):
    """An answer without an image. `code` is for programs, the message for people: what happened and what to change."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.kind = status, code, message, param, kind
        self.headers = dict(headers or {})
        self.more = dict(more or {})  # beside `error`: the attempts of a request that failed everywhere
        if status >= 500 or status in (408, 409):
            self.headers = DONT_RETRY | self.headers

    def body(self) -> dict[str, Any]:
        return {
            "error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code},
            **self.more,
        }


def invalid(param: str | None, message: str, code: str = "invalid_value") -> Refusal:
    return Refusal(400, code, message, param=param)


def wait(code: str, message: str, seconds: float, *, kind: str = "requests") -> Refusal:
    """429, with the time to come back: the official clients wait that long by themselves, up to a minute or two."""
    seconds = max(0.1, seconds)
    headers = {"Retry-After": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}
    return Refusal(429, code, message, kind=kind, headers=headers)


def of_provider_error(error: ProviderError, *, timeout: float) -> Refusal:
    """What the last failure means to the caller, after every offering that could be asked has been."""
    message = str(error)
    match error:
        case ContentPolicy():
            return Refusal(
                400,
                "moderation_blocked",
                f"The request was refused for its content. {message}",
                kind="image_generation_user_error",
            )
        case InputUnreachable():
            return invalid("image", message, "input_unreachable")
        case InvalidRequest():
            param, colon, _ = message.partition(":")
            return invalid(param if colon and param.isidentifier() else None, message, "invalid_request")
        case CapReached():
            return Refusal(
                429,
                "spend_cap_reached",
                f"This installation has spent what it may spend today. {message}",
                kind="insufficient_quota",
                headers=DONT_RETRY,
            )
        case NotSent() | RateLimited():
            return wait("rate_limit_exceeded", f"Every provider is busy. {message}", error.retry_after or 1.0)
        case Cancelled():
            return Refusal(499, "client_closed_request", "The client was gone before the image was made.")
        case TimedOut():
            return Refusal(
                504, "provider_timeout", f"No provider was done within {timeout:g} s. {message}", kind="server_error"
            )
        case NotFound() if error.status is None:
            return Refusal(404, "model_not_available", message, param="model")
        case _:
            return Refusal(
                502,
                "all_providers_failed",
                f"Every provider of this model failed. The last one said: {message}",
                kind="server_error",
            )
