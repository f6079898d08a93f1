"""One request at a time: sent within the deadline, limited in size, and every failure classified.

The double-billing rule lives here. A request that never reached the provider is `ConnectFailed` and may be sent again.
A request that may have reached it and whose answer is lost is `AnswerLost`: the image may exist and be billed, so no
adapter sends it again by itself. Questions about a job that exists (polls, results) are harmless and are repeated, and
another process may go on with them: `submitted` reports what finds the job again.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from providers.errors import (
    AnswerLost,
    BadOutput,
    ConnectFailed,
    InputUnreachable,
    InvalidRequest,
    NetworkError,
    NotFound,
    ProviderError,
    RateLimited,
    TimedOut,
    Unauthorised,
)
from providers.request import GeneratedImage, ProviderCall, SourceImage, Ticket
from providers.transfer.addresses import is_public, resolve
from providers.transfer.deadline import CONNECT_TIMEOUT
from providers.transfer.download import fetch
from providers.transfer.image_type import measured_base64
from providers.transfer.upload import put

from .base import Account, Deadline
from .failures import failure, kind_of_status, message_of, without_secrets
from .images import strays, strings_of
from .redaction import holds_secret, redacted
from .reply import Reply, retry_after

MAX_ANSWER = 96 * 1024 * 1024  # ten images in base64 fit; a runaway body does not
BODY_STALL = 5.0  # seconds without a byte after the first one
CANCEL_TIMEOUT = 3.0  # seconds for the request that cancels, spent after our own time is up
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds between polls
PAUSE_SHARE = 0.05  # of a job's time: its end is noticed at most this much too late, on average half as much
# What providers say of a source image in words, where they have no code for it.
UNREADABLE = re.compile(
    r"(could not|cannot|can't|failed to|unable to) (decode|download|fetch|identify|load|open|process|read)\b"
    r".*\b(image|file|url)",
    re.IGNORECASE,
)
MAX_FAILED_POLLS = 6  # in a row, before the job is given up …
FAILED_PAUSE = 0.2  # … seconds after the first of them, doubled after each: a restart of the provider is outlived

# Nothing has been sent: the connection was never made, or none in our pool was free.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


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

        With `on_body` the answer may be a stream: its parts are passed on as they come, with any pause in between.
        """
        return self._send(
            "POST", url, headers=headers, creates=True, deadline=self.deadline, on_body=on_body, **content
        )

    def prepare(self, url: str, **content: Any) -> Reply:
        """POST that creates no job yet (an upload): when its answer is lost, nothing is lost but time."""
        try:
            return self._send("POST", url, headers=None, creates=False, deadline=self.deadline, **content)
        except AnswerLost as error:
            raise self.failure(ConnectFailed, error.detail) from error

    def ask(self, url: str) -> Reply:
        return self._send("GET", url, headers=None, creates=False, deadline=self.deadline)

    def poll(self, url: str, is_hiccup: Callable[[Reply], bool]) -> Reply:
        """GET about a job that exists. Lost answers and hiccups of the provider's gateway are waited out.

        Raises AnswerLost after MAX_FAILED_POLLS of them in a row.
        """
        trouble, is_unknown = "", False
        for number in range(MAX_FAILED_POLLS):
            try:
                reply = self.ask(url)
            except TimedOut as error:
                error.possibly_charged = True
                raise
            except NetworkError as error:
                trouble, is_unknown = error.detail, False
            else:
                if not is_hiccup(reply):
                    return reply
                trouble, is_unknown = f"{reply.status} {reply.text(300)}", reply.status == 404
            pause = min(LONGEST_PAUSE, FAILED_PAUSE * 2**number)
            self.deadline.sleep(pause, "asking for the result", possibly_charged=True)
        lost = self.failure(
            AnswerLost,
            f"{MAX_FAILED_POLLS} times in a row: {trouble}",
            public="{name} accepted the job, but its result could not be had.",
            possibly_charged=True,
        )
        lost.job_is_open = not is_unknown
        raise lost

    def submitted(self, call: ProviderCall, **ticket: str) -> Ticket:
        """Reports the job that was just accepted, before it is awaited; returns its ticket.

        A ticket that holds a secret of the account is not reported: it would be stored.
        """
        if call.on_submitted and not any(holds_secret(value, self.account) for value in ticket.values()):
            call.on_submitted(ticket)
        return ticket

    def cancel(self, method: str, url: str) -> Reply | None:
        """Asks the provider to stop. None when it did not agree, in JSON: what a broken gateway says is no agreement,
        and a failed cancellation must not hide why we cancel."""
        try:
            reply = self._send(method, url, headers=None, creates=False, deadline=Deadline(CANCEL_TIMEOUT))
        except (NetworkError, TimedOut, NotFound, BadOutput):
            return None
        return reply if reply.ok and reply.object() else None

    # Errors and images

    def failure(self, kind: type[ProviderError], said: Any = "", **facts: Any) -> ProviderError:
        """An error of this provider; see `failures.failure`."""
        return failure(kind, self.account, said, **facts)

    def failure_of(self, kind: type[ProviderError], reply: Reply, **facts: Any) -> ProviderError:
        """An error answer of a class that is known. Without a message that we can read its body is for staff alone."""
        said = message_of(reply.object())
        error = self.failure(kind, said, status=reply.status, **facts)
        if not said:
            error.detail = self.failure(kind, reply.text(), status=reply.status).detail
        return error

    def failure_by_status(
        self, reply: Reply, exceptions: Mapping[int, type[ProviderError]] | None = None
    ) -> ProviderError:
        """What an error answer means by its status alone."""
        kind = kind_of_status(reply.status, exceptions)
        if kind is InvalidRequest and UNREADABLE.search(message_of(reply.object())):
            kind = InputUnreachable
        # A gateway gave up on an answer that may still come: the job may be running.
        return self.failure_of(
            kind,
            reply,
            retry_after=retry_after(reply) if kind is RateLimited else None,
            possibly_charged=kind is TimedOut,
        )

    def without_image(self, reply: Reply) -> ProviderError:
        """A success whose body has nothing that could be an image."""
        return self.failure(BadOutput, f"no image in {reply.text()}", status=reply.status, possibly_charged=True)

    def redacted(self, text: Any, limit: int) -> str:
        """A text of the answer that is stored (an id, a rewritten prompt), without secrets."""
        return redacted(text, self.account)[:limit] if isinstance(text, str | int) else ""

    def image(self, value: Any, headers: Mapping[str, str] | None = None) -> GeneratedImage:
        """The image that a string of an answer stands for: an https: or data: URL, or base64.

        Raises BadOutput or TimedOut, both possibly charged. `headers` may carry the key to the URL's own host.
        """
        text = value.strip() if isinstance(value, str) else ""
        try:
            if re.match(r"(?:https?|data):", text[:6], re.IGNORECASE):
                return fetch(text, deadline=self.deadline, trusted=self.account.trusted_origins, headers=headers)
            return measured_base64(text)
        except ProviderError as error:
            raise without_secrets(error, self.account) from error

    def put(self, url: str, image: SourceImage) -> None:
        """Uploads a source image to a URL the provider named. Raises ConnectFailed or TimedOut, not charged."""
        try:
            put(url, image.data, image.content_type, deadline=self.deadline, trusted=self.account.trusted_origins)
        except ProviderError as error:
            raise without_secrets(error, self.account) from error

    def images(
        self, items: Iterable[Any], reply: Reply, *, retry_with_key: Callable[[str], bool] | None = None
    ) -> tuple[GeneratedImage, ...]:
        """The images of a result's `items`, in their order; where those name none, any image in the whole answer.

        An unusable image does not cost the others. `retry_with_key` says to which URLs our key may go when they answer
        401 or 403 without. Raises BadOutput or TimedOut, possibly charged, when no image is usable.
        """
        images: list[GeneratedImage] = []
        problem: ProviderError | None = None
        for item in items:
            try:
                image, failed = self._first_image(strings_of(item), retry_with_key)
            except TimedOut as error:
                problem = error
                break
            images += [image] if image else []
            problem = problem or failed
        if not images and problem is None:
            image, problem = self._first_image(strays(reply.json), None)
            images += [image] if image else []
        if not images:
            raise problem or self.without_image(reply)
        return tuple(images)

    def _first_image(
        self, texts: Iterable[str], retry_with_key: Callable[[str], bool] | None
    ) -> tuple[GeneratedImage | None, BadOutput | None]:
        problem = None
        for text in texts:
            for headers in (None, self.headers):
                try:
                    return self.image(text, headers), None
                except BadOutput as error:
                    problem = problem or error
                    if error.status not in (401, 403) or retry_with_key is None or not retry_with_key(text):
                        break
        return None, problem

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
            raise self.failure(
                NotFound,
                f"{url} is not a URL this account may use: only https URLs of the provider itself, or this machine "
                "with ALLOW_LOOPBACK_PROVIDERS=1.",
                public="{name} is configured with a URL that this installation may not use.",
            )
        if url.startswith("http://") and self.account.allow_private:
            self._check_private(url)
        left = deadline.check(f"asking {self.account.name}")
        timeout = httpx.Timeout(left, connect=min(CONNECT_TIMEOUT, left))
        try:
            request = self.http.build_request(
                method, _parsed(url), headers={**self.headers, **(headers or {})}, timeout=timeout, **content
            )
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise self.failure(InvalidRequest, error, public="The request to {name} cannot be encoded.") from error
        started = time.monotonic()
        try:
            response = self.http.send(request, stream=True, follow_redirects=False)
            try:
                ttfb = time.monotonic() - started
                # httpx times each read by itself, so the body gets a short limit and the total is checked in between.
                stall = deadline.left if on_body else min(BODY_STALL, deadline.left)
                request.extensions["timeout"]["read"] = stall or 0.01
                body = self._read(response, deadline, creates, on_body)
            finally:
                response.close()
        except _UNSENT as error:
            if not deadline.left:
                raise self.failure(TimedOut, f"no connection within {deadline.seconds:g} s") from error
            raise self.failure(ConnectFailed, f"no connection ({_reason(error)})") from error
        except httpx.LocalProtocolError as error:
            raise self.failure(
                Unauthorised, "The key cannot be sent as a header; is there a line break in it?"
            ) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            if isinstance(error, httpx.TimeoutException) and deadline.left < 0.05:
                said = f"no answer within {deadline.seconds:g} s"
                raise self.failure(TimedOut, said, possibly_charged=creates) from error
            raise self.failure(AnswerLost, _reason(error), possibly_charged=creates) from error
        return Reply(response.status_code, response.headers, body, ttfb)

    def _check_private(self, url: str) -> None:
        """Without TLS our key goes to this machine or a private network, and never over the internet."""
        parts = urlsplit(url)
        try:
            addresses = resolve(parts.hostname or "", parts.port or 80)
        except (OSError, UnicodeError) as error:
            raise self.failure(ConnectFailed, f"no IP address known ({error})") from error
        if any(map(is_public, addresses)):
            said = f"{url} is at {', '.join(addresses)}: http:// is for private networks"
            raise self.failure(
                NotFound, said, public="{name} is configured with a URL that this installation may not use."
            )

    def _read(
        self, response: httpx.Response, deadline: Deadline, creates: bool, on_body: Callable[[bytes], None] | None
    ) -> bytes:
        chunks, size = list[bytes](), 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if on_body:
                on_body(chunk)
            if size > MAX_ANSWER:
                raise self.failure(BadOutput, f"more than {MAX_ANSWER >> 20} MB", possibly_charged=creates)
            deadline.check_time(f"reading the answer of {self.account.name}", possibly_charged=creates)
        return b"".join(chunks)


_parsed = functools.lru_cache(256)(httpx.URL)  # a provider's few URLs for submitting are parsed once


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def growing_pauses(usual: float = 0.0, clock: Callable[[], float] = time.monotonic) -> Iterator[float]:
    """The seconds to wait before each poll: PAUSE_SHARE of the time such a job usually takes, or of the time waited so
    far if that is more.

    The time that a job takes is known as exactly as the polls are close, and figures of polled wires stand beside those
    of wires that answer by themselves.
    """
    waited_since = clock()
    while True:
        yield min(LONGEST_PAUSE, max(FIRST_PAUSE, max(usual, clock() - waited_since) * PAUSE_SHARE))
