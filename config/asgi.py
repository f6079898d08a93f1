"""The gateway's processes: `granian --interface asgi config.asgi:application`. Pages are served by wsgi.py.

They are asynchronous only to notice that a client has hung up; the work is done in threads of their own, so slow
providers and slow pages cannot starve each other.
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["GATEWAY"] = "1"

from django.conf import settings
from django.core.asgi import get_asgi_application

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_django = get_asgi_application()


class TooLarge(Exception):
    pass


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Django, behind a limit: it would write a body of any size to disk before asking anybody."""
    if scope["type"] != "http":
        return
    left = settings.GATEWAY_LARGEST_REQUEST

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge
        return message

    announced = dict(scope["headers"]).get(b"content-length", b"")
    try:
        if announced.isdigit() and int(announced) > left:
            raise TooLarge
        await _django(scope, limited, send)
    except TooLarge:
        limit = settings.GATEWAY_LARGEST_REQUEST >> 20
        message = f"The request is larger than {limit} MB. Send smaller images."
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": "request_too_large"}
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode()})
