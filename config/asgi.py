"""The gateway's processes: `granian --interface asgi config.asgi:application`. Pages are served by wsgi.py.

They are asynchronous only to notice that a client has hung up; the work is done in threads of their own, so slow
providers and slow pages cannot starve each other. Whether the process is alive and ready is asked outside of these
threads: it is still alive when all of them wait.
"""

import gc
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["GATEWAY"] = "1"

from django.core.asgi import get_asgi_application

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_django = get_asgi_application()  # before anything that needs Django set up

from providers.gateway.asgi import Gateway  # noqa: E402 - once Django is set up

_gateway = Gateway()

gc.collect()
gc.freeze()  # what is loaded now stays: it need not be looked through again and again while images pass
gc.set_threshold(10_000, 20, 50)  # a request makes thousands of small objects, and hardly a cycle


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    await (_gateway if scope["path"].startswith("/openai/") else _django)(scope, receive, send)
