"""One request at a time: sent within the deadline, limited in size, and every failure given its proper name.

The double-billing rule lives here. A request that never reached the provider is `ConnectFailed` and may be sent again.
A request that may have reached it and whose answer is lost is `AnswerLost`: the image may exist and be billed, so no
adapter sends it again by itself. Questions about a job that exists (polls, results) are harmless and are repeated.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from providers.errors import (
    AnswerLost,
    BadOutput,
    ConnectFailed,
    InvalidRequest,
    NetworkError,
    NotFound,
    TimedOut,
    Unauthorised,
)
from providers.transfer.deadline import CONNECT_TIMEOUT

from .base import Account, Deadline

MAX_ANSWER = 96 * 1024 * 1024  # ten images in base64 fit; a runaway body does not
BODY_STALL = 5.0  # seconds without a byte once the answer has begun
CANCEL_BUDGET = 3.0  # seconds for telling the provider to stop, spent after our own time is up
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between polls
# What providers say of a source image in words, where they have no code for it.
UNREADABLE = re.compile(
    r"(could not|cannot|can't|failed to|unable to) (decode|download|fetch|identify|load|open|process|read)\b"
    r".*\b(image|file|url)",
    re.IGNORECASE,
)
PATIENCE = 5  # polls that may fail in a row before the job is given up

# Nothing has been sent: the connection was never made, or no connection of ours was free.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer, whatever its status. `ttfb` is the time from sending to its headers, in seconds."""

    status: int
    headers: httpx.Headers
    body: bytes
    ttfb: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None when it is none (an HTML page of some gateway, an empty body)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when it is anything else."""
        value = self.json()
        return value if isinstance(value, dict) else {}

    def text(self, limit: int = 300) -> str:
        """The beginning of the body for an error message."""
        return " ".join(self.body[: limit * 4].decode("utf-8", "replace").split())[:limit]


@dataclass(frozen=True, slots=True)
class Wire:
    """The line to one provider for one attempt: its account, our client, the time left and the key in a header."""

    account: Account
    http: httpx.Client
    deadline: Deadline
    headers: Mapping[str, str]

    def create(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        on_body: Callable[[bytes], None] | None = None,
        **content: Any,
    ) -> Reply:
        """POST that makes the provider work and bill: never repeated once it may have arrived.

        With `on_body` the answer may be a stream: its parts are handed on as they come, and may keep us waiting.
        """
        return self._send(
            "POST", url, headers=headers, creates=True, deadline=self.deadline, on_body=on_body, **content
        )

    def prepare(self, url: str, **content: Any) -> Reply:
        """POST that orders nothing yet (an upload): when its answer is lost, nothing is lost but time."""
        try:
            return self._send("POST", url, headers=None, creates=False, deadline=self.deadline, **content)
        except AnswerLost as error:
            raise ConnectFailed(str(error)) from error

    def ask(self, url: str) -> Reply:
        return self._send("GET", url, headers=None, creates=False, deadline=self.deadline)

    def ask_patiently(self, url: str, is_hiccup: Callable[[Reply], bool]) -> Reply:
        """GET about a job that exists. Lost answers and hiccups of the provider's gateway are waited out."""
        pauses = growing_pauses()
        trouble = ""
        for _ in range(PATIENCE):
            try:
                reply = self.ask(url)
            except TimedOut as error:
                raise TimedOut(str(error), possibly_charged=True) from error
            except NetworkError as error:
                trouble = str(error)
            else:
                if not is_hiccup(reply):
                    return reply
                trouble = f"{self.account.name} answered {reply.status} again and again."
            self.deadline.sleep(next(pauses), "asking for the result", possibly_charged=True)
        raise AnswerLost(f"The job was accepted, but {trouble}", possibly_charged=True)

    def cancel(self, method: str, url: str) -> Reply | None:
        """Tells the provider to stop. None when it did not agree: a failed cancellation must not hide why we cancel."""
        try:
            reply = self._send(method, url, headers=None, creates=False, deadline=Deadline(CANCEL_BUDGET))
        except (NetworkError, TimedOut, NotFound, BadOutput):
            return None
        return reply if reply.ok else None

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        creates: bool,
        deadline: Deadline,
        on_body: Callable[[bytes], None] | None = None,
        **content: Any,
    ) -> Reply:
        if not self.account.owns(url):
            raise NotFound(
                f"{self.account.name}: {url!r} is not an address this account may use. Only https addresses of the "
                "provider itself, or this machine with ALLOW_LOOPBACK_PROVIDERS=1."
            )
        left = deadline.check(f"asking {self.account.name}")
        timeout = httpx.Timeout(left, connect=min(CONNECT_TIMEOUT, left))
        try:
            request = self.http.build_request(
                method, url, headers={**self.headers, **(headers or {})}, timeout=timeout, **content
            )
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise InvalidRequest(f"The request to {self.account.name} cannot be written down: {error}.") from error
        started = time.monotonic()
        try:
            response = self.http.send(request, stream=True, follow_redirects=False)
            try:
                ttfb = time.monotonic() - started
                # httpx counts each read anew, so the body gets a short rein and the whole is checked in between.
                stall = deadline.left if on_body else min(BODY_STALL, deadline.left)
                request.extensions["timeout"]["read"] = stall or 0.01
                body = self._read(response, deadline, creates, on_body)
            finally:
                response.close()
        except _UNSENT as error:
            if not deadline.left:
                raise TimedOut(f"No connection to {self.account.name} within {deadline.seconds:g} s.") from error
            raise ConnectFailed(f"no connection to {self.account.name} ({_reason(error)}).") from error
        except httpx.LocalProtocolError as error:
            raise Unauthorised(
                f"The key of {self.account.name} cannot be sent; is there a line break in it?"
            ) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            if isinstance(error, httpx.TimeoutException) and deadline.left < 0.05:
                raise TimedOut(
                    f"No answer from {self.account.name} within {deadline.seconds:g} s.", possibly_charged=creates
                ) from error
            raise AnswerLost(
                f"the answer of {self.account.name} was lost ({_reason(error)}).", possibly_charged=creates
            ) from error
        return Reply(response.status_code, response.headers, body, ttfb)

    def _read(
        self, response: httpx.Response, deadline: Deadline, creates: bool, on_body: Callable[[bytes], None] | None
    ) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if on_body:
                on_body(chunk)
            if len(body) > MAX_ANSWER:
                raise BadOutput(f"{self.account.name} sent more than {MAX_ANSWER >> 20} MB.", possibly_charged=creates)
            deadline.check_time(f"reading the answer of {self.account.name}", possibly_charged=creates)
        return bytes(body)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def growing_pauses() -> Iterator[float]:
    """Quick models are noticed at once, slow ones are not asked hundreds of times."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * 1.4)


def _number(value: Any) -> float | None:
    """A finite number ≥ 0, from JSON or from a header; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def duration_of(seconds: Any) -> timedelta | None:
    """A time a provider reports about itself; None when it reports none, or nonsense."""
    number = _number(seconds)
    return None if number is None or number > 86_400 else timedelta(seconds=number)


_RESETS_IN = re.compile(r"(?:resets?|retry|again) (?:in|after) ~?(\d+(?:\.\d+)?) ?(ms|s|m)?", re.IGNORECASE)


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait, from the headers, or from the text (Replicate: "Your rate limit resets in ~30s.")."""
    if (milliseconds := _number(reply.headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = reply.headers.get("retry-after", "")
    if (seconds := _number(value)) is not None:
        return seconds
    if value:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    if found := _RESETS_IN.search(reply.text(2000)):
        return float(found[1]) * {"ms": 0.001, "m": 60.0}.get((found[2] or "s").lower(), 1.0)
    return None
