"""Downloads a result image from a URL that a provider named. Such a URL is hostile until proven otherwise.

    https only                      except for an account whose servers are on this machine (`trusted` origins)
    public IP addresses only        the name is resolved once, checked, and the connection goes to the checked address:
                                    a name that changes between check and use (DNS rebinding) gains nothing
    every redirect is checked too   at most three; our key never goes to another host
    bytes, time and tries limited   the time limit holds for every single read: a dripping server cannot hold a thread
    type and size from the bytes    `image_type.measured`; the server's Content-Type is not believed

It uses httpcore, the engine under httpx, directly: there the connection can be pinned to an IP address while TLS still
checks the name. Each image gets a connection of its own.
"""

from __future__ import annotations

import functools
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import httpcore
import httpx

from providers.errors import BadOutput
from providers.request import GeneratedImage
from providers.transfer.addresses import USER_AGENT, is_public, origin_of, resolve
from providers.transfer.deadline import CONNECT_TIMEOUT, Deadline
from providers.transfer.image_type import MAX_BYTES, decode_base64, measured

TRIES = 3
FIRST_PAUSE = 0.2  # seconds before the second try; three times that before the third
REDIRECTS = 3
STALL = 10.0  # seconds without a byte
ACCEPT = "image/png,image/jpeg,image/webp,image/avif,image/gif;q=0.5"
_TRANSIENT_STATUSES = frozenset({404, 408, 425, 429, 500, 502, 503, 504})  # a CDN may not have the file everywhere yet


class _Transient(Exception):
    """Trouble on the way that may be gone in a moment: the reason for everybody, and the detail for staff."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def fetch(
    url: str, *, deadline: Deadline, trusted: Collection[str] = (), headers: Mapping[str, str] | None = None
) -> GeneratedImage:
    """The image at `url` (https: or data:), measured. Raises BadOutput or TimedOut; both may have been charged.

    `trusted` are origins that may be private (`Account.trusted_origins`). `headers` may carry a key; they
    go to the origin of `url` only.
    """
    if url[:5].lower() == "data:":
        return measured(_data_of(url))
    for attempt in range(TRIES):
        try:
            return measured(_follow(url, deadline, trusted, headers or {}))
        except _Transient as error:
            doing = f"downloading the image: {error}"
            deadline.check(doing, possibly_charged=True)
            if attempt == TRIES - 1:
                raise unavailable(str(error), error.reason) from error
            deadline.sleep(FIRST_PAUSE * 3**attempt, doing, possibly_charged=True)
    raise AssertionError("the last round returns or raises")


def unavailable(detail: str, reason: str, *, status: int | None = None) -> BadOutput:
    """The error of an image that cannot be downloaded. `reason` is public, so it names neither host nor URL."""
    message = f"The image could not be downloaded: {reason}."
    return BadOutput(message, detail=detail, status=status, possibly_charged=True)


def _data_of(uri: str) -> bytes:
    """The bytes inside a data: URI."""
    head, comma, payload = uri.partition(",")
    if not comma or len(payload) > MAX_BYTES * 3:  # percent-encoding triples the length
        raise BadOutput("The data: URI of the image is broken or too large.", possibly_charged=True)
    if not head.lower().replace(" ", "").endswith(";base64"):
        return unquote_to_bytes(payload)
    return decode_base64(unquote(payload) if "%" in payload else payload)


def _follow(url: str, deadline: Deadline, trusted: Collection[str], headers: Mapping[str, str]) -> bytes:
    first_origin = origin_of(url)
    for _ in range(1 + REDIRECTS):
        check_url(url, trusted)
        own = headers if origin_of(url) == first_origin else {}
        data, target = _get(url, deadline, origin_of(url) in trusted, own)
        if target is None:
            return data
        try:
            url = urljoin(url, target)
        except ValueError as error:
            raise unavailable(str(error), "it is behind a broken redirect") from error
    raise unavailable(url, "it is behind too many redirects")


def check_url(url: str, trusted: Collection[str]) -> None:
    """Raises BadOutput for a URL that is no plain https one; `trusted` origins may be http."""
    origin = origin_of(url)
    if not origin or "@" in urlsplit(url).netloc:
        raise unavailable(url[:200], "its URL is not a usable one")
    if not origin.startswith("https://") and origin not in trusted:
        raise unavailable(url[:200], "its URL is not https")


def _get(url: str, deadline: Deadline, is_trusted: bool, headers: Mapping[str, str]) -> tuple[bytes, str | None]:
    """One request: (bytes, None), or (b"", where it redirects to)."""
    target = parsed(url)
    fixed = {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "identity", "Connection": "close"}
    sent = [*fixed.items(), *headers.items()]
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=ssl_context(), network_backend=CheckedNetwork(deadline, is_trusted)
            ) as pool,
            pool.stream("GET", target, headers=sent, extensions={"timeout": {"connect": CONNECT_TIMEOUT}}) as response,
        ):
            received = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in (301, 302, 303, 307, 308) and b"location" in received:
                return b"", received[b"location"]
            reason = f"its server answered {response.status}"
            if response.status in _TRANSIENT_STATUSES:
                raise _Transient(reason, f"{origin_of(url)} answered {response.status}")
            if response.status != 200:
                raise unavailable(f"{origin_of(url)} answered {response.status}", reason, status=response.status)
            return _capped(response.iter_stream(), received.get(b"content-length", "")), None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        detail = f"{origin_of(url)}: {error or type(error).__name__}"
        raise _Transient("the connection to its server failed", detail) from error


def parsed(url: str) -> httpcore.URL:
    """The URL as httpcore takes it. Raises BadOutput."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise unavailable(f"{url[:200]}: {error}", "its URL is not a usable one") from error
    return httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)


def _capped(chunks: Iterable[bytes], announced: str) -> bytes:
    body = bytearray()
    too_large = announced.isdecimal() and int(announced) > MAX_BYTES
    for chunk in () if too_large else chunks:
        body += chunk
        if too_large := len(body) > MAX_BYTES:
            break
    if too_large:
        raise BadOutput(f"The image is larger than {MAX_BYTES >> 20} MB.", possibly_charged=True)
    return bytes(body)


@functools.cache
def ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses only – to the very address that was checked – and within the deadline."""

    def __init__(self, deadline: Deadline, is_trusted: bool) -> None:
        self._deadline = deadline
        self._is_trusted = is_trusted
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no IP address known ({error})") from error
        if not self._is_trusted and not all(is_public(address) for address in addresses):
            # All of them: a name that mixes public and private addresses is up to no good.
            raise unavailable(
                f"{host} is at {', '.join(addresses)}, which is no public address", "its host has no public IP address"
            )
        failure: Exception = httpcore.ConnectError("no IP address known")
        for address in addresses[:3]:
            left = self._deadline.check("connecting to the image", possibly_charged=True)
            try:
                stream = self._network.connect_tcp(
                    address, port, min(timeout or left, left), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    """A stream on which every read and write knows how much of the whole time is left."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def _limit(self) -> float:
        return min(STALL, self._deadline.check("downloading the image", possibly_charged=True))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limit())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._limit())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, self._limit()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
