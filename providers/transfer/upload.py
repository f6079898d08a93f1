"""Sends bytes to a URL that a stranger named. It is as hostile as that of a result, and is checked the same.

A source image goes to a URL of its provider, without our key: the URL itself is the permission. No job exists yet, so
nothing that goes wrong there is charged, and all of it may be retried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import httpcore
import httpx

from providers.errors import BadOutput, ConnectFailed, TimedOut
from providers.transfer.addresses import USER_AGENT, origin_of
from providers.transfer.deadline import CONNECT_TIMEOUT, Deadline
from providers.transfer.download import CheckedNetwork, check_url, parsed, ssl_context

FAILED = "A source image could not be uploaded."


def put(url: str, data: bytes, content_type: str, *, deadline: Deadline, trusted: Collection[str] = ()) -> None:
    """Raises ConnectFailed or TimedOut. `trusted` are origins that may be private (`Account.trusted_origins`)."""
    try:
        status = send("PUT", url, data, {"Content-Type": content_type}, deadline=deadline, trusted=trusted)
    except BadOutput as error:  # the URL is not one we use
        raise ConnectFailed(FAILED, detail=f"{error} {error.detail}") from error
    except TimedOut as error:
        raise TimedOut(str(error), detail=error.detail) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise ConnectFailed(FAILED, detail=f"{origin_of(url)}: {error or type(error).__name__}") from error
    if not 200 <= status < 300:
        raise ConnectFailed(FAILED, detail=f"{origin_of(url)} answered {status}", status=status)


def send(
    method: str, url: str, data: bytes, headers: Mapping[str, str], *, deadline: Deadline, trusted: Collection[str] = ()
) -> int:
    """One request to an address that a stranger named; returns the status. Redirects are not followed.

    Raises BadOutput for a URL that is no plain https one of the public internet, TimedOut, and httpcore's NetworkError,
    ProtocolError and TimeoutException.
    """
    check_url(url, trusted)
    target = parsed(url)
    own: dict[str | bytes, str | bytes] = {
        "Host": httpx.URL(url).netloc, "User-Agent": USER_AGENT, "Content-Length": str(len(data)),
        "Connection": "close",
    }  # fmt: skip
    own.update(headers.items())
    network = CheckedNetwork(deadline, origin_of(url) in trusted)
    with (
        httpcore.ConnectionPool(ssl_context=ssl_context(), network_backend=network) as pool,
        pool.stream(
            method, target, headers=list(own.items()), content=data,
            extensions={"timeout": {"connect": CONNECT_TIMEOUT}},
        ) as response,
    ):  # fmt: skip
        return response.status
