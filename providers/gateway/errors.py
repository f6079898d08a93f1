"""Every error response of the gateway, in the envelope that clients of OpenAI's API understand.

The official clients retry 408, 409, 429 and everything from 500 by themselves, and each retry may be another bill. So
every error that a retry cannot improve carries `x-should-retry: false`, which they obey.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError

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

NO_RETRY = {"x-should-retry": "false"}


class ApiError(Exception):
    """An error response. `code` is for programs, the message for people: what happened and what to change.

    `kind` is OpenAI's `type`, `param` the parameter at fault, `metadata` an object beside `error`: the attempts of a
    request that failed at every provider.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.kind = status, code, message, param, kind
        self.headers = dict(headers or {})
        self.metadata = dict(metadata or {})
        if status >= 500 or status in (408, 409):
            self.headers = NO_RETRY | self.headers

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": error, **({"metadata": self.metadata} if self.metadata else {})}


def invalid(param: str | None, message: str, code: str = "invalid_value") -> ApiError:
    """400: the request has to change."""
    return ApiError(400, code, message, param=param)


def method_not_allowed(methods: Sequence[str]) -> ApiError:
    """405 with the methods that are allowed."""
    allowed = ", ".join(methods)
    return ApiError(405, "method_not_allowed", f"Method not allowed; use {allowed}.", headers={"Allow": allowed})


OUTAGES = (OperationalError, InterfaceError, OSError)  # of the database, of the file store


def outage(error: Exception, *, may_be_paid: bool) -> ApiError:
    """503: the database or the file store is away. `may_be_paid`: a provider may have worked, so a retry may be another
    bill."""
    part, code = ("files", "storage") if isinstance(error, OSError) else ("database", "database")
    advice = "The image may have been made and billed." if may_be_paid else "Nothing was done. Retry in a few seconds."
    message = f"This site cannot reach its {part} at the moment. {advice}"
    headers = {"Retry-After": "5", "x-should-retry": "false" if may_be_paid else "true"}
    return ApiError(503, f"{code}_unavailable", message, kind="server_error", headers=headers)


def internal_error() -> ApiError:
    """500: an internal fault."""
    return ApiError(500, "internal_error", "Internal error; it has been logged.", kind="server_error")


def rate_limited(code: str, message: str, seconds: float, *, kind: str = "requests") -> ApiError:
    """429 with the time to wait: the official clients wait that long by themselves, up to a minute or two."""
    seconds = max(0.1, seconds)
    headers = {"Retry-After": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}
    return ApiError(429, code, message, kind=kind, headers=headers)


def of_provider_error(error: ProviderError, *, timeout: float) -> ApiError:
    """The response to the last failure, once every offering that could be tried has been. `timeout` is in seconds."""
    message = str(error)
    match error:
        case ContentPolicy():
            return ApiError(
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
            return ApiError(
                429,
                "spend_cap_reached",
                f"This installation has spent what it may spend today. {message}",
                kind="insufficient_quota",
                headers=NO_RETRY,
            )
        case NotSent() | RateLimited():
            return rate_limited("rate_limit_exceeded", f"No provider takes it now. {message}", error.retry_after or 1.0)
        case Cancelled():
            return ApiError(499, "client_closed_request", "The client closed the connection before the image was made.")
        case TimedOut():
            return ApiError(
                504, "provider_timeout", f"No provider answered within {timeout:g} s. {message}", kind="server_error"
            )
        case NotFound() if error.status is None:
            return ApiError(404, "model_not_available", message, param="model")
        case _:
            return ApiError(
                502,
                "all_providers_failed",
                f"Every provider of this model failed. The last error: {message}",
                kind="server_error",
            )
