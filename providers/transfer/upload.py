"""Puts a source image where a provider named. The address is as hostile as that of a result, and is checked the same.

Our key does not go along: the address itself is the permission. Nothing has been ordered yet, so nothing that goes
wrong here is charged, and all of it may be tried again.
"""

from __future__ import annotations

from collections.abc import Collection

import httpcore
import httpx

from providers.errors import BadOutput, ConnectFailed, TimedOut
from providers.transfer.addresses import USER_AGENT, origin_of
from providers.transfer.deadline import CONNECT_TIMEOUT, Deadline
from providers.transfer.download import CheckedNetwork, check_address, ssl_context


def put(url: str, data: bytes, content_type: str, *, deadline: Deadline, trusted: Collection[str] = ()) -> None:
    """Raises ConnectFailed or TimedOut. `trusted` are origins on this machine (`Account.loopback_origins`)."""
    try:
        status = _put(url, data, content_type, deadline, trusted)
    except BadOutput as error:  # the address is not a public one
        raise ConnectFailed(f"A source image cannot be uploaded: {error}") from error
    except TimedOut as error:
        raise TimedOut(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        reason = error or type(error).__name__
        raise ConnectFailed(f"A source image could not be uploaded to {origin_of(url)}: {reason}.") from error
    if not 200 <= status < 300:
        raise ConnectFailed(f"A source image could not be uploaded: {origin_of(url)} answered {status}.", status=status)


def _put(url: str, data: bytes, content_type: str, deadline: Deadline, trusted: Collection[str]) -> int:
    check_address(url, trusted)
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadOutput(f"{url[:200]!r} is not an address ({error}).") from error
    target = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path)
    headers: dict[str | bytes, str | bytes] = {
        "Host": address.netloc, "User-Agent": USER_AGENT, "Content-Type": content_type,
        "Content-Length": str(len(data)), "Connection": "close",
    }  # fmt: skip
    network = CheckedNetwork(deadline, origin_of(url) in trusted)
    with (
        httpcore.ConnectionPool(ssl_context=ssl_context(), network_backend=network) as pool,
        pool.stream(
            "PUT", target, headers=list(headers.items()), content=data,
            extensions={"timeout": {"connect": CONNECT_TIMEOUT}},
        ) as response,
    ):  # fmt: skip
        return response.status
