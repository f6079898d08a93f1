"""The least a gateway can do: hand a request on and its answer back, with our server and our HTTP client, and forget it.

What `benchmarks.gateway` measures beside ours: no key, no limits, no routing, no price, nothing written down.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]
_upstream = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=512))


async def application(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    headers = {"content-type": "application/json"}
    answer = await _upstream.post(os.environ["BENCH_UPSTREAM"], content=body, headers=headers)
    start = {"content-type": "application/json", "content-length": str(len(answer.content))}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": [(name.encode(), value.encode()) for name, value in start.items()],
        }
    )
    await send({"type": "http.response.body", "body": answer.content})
