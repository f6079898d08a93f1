"""The site's processes: `granian --interface asgi --workers 2 --no-ws config.asgi:application`. See config/entry."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("ARENA_PROCESS", "web")

import django

django.setup()

from django.conf import settings  # noqa: E402 - once Django is set up
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from config import health, monitoring  # noqa: E402
from config.entry.application import Entry  # noqa: E402
from config.entry.messages import Scope  # noqa: E402
from config.entry.pages import Pages  # noqa: E402
from providers.gateway.asgi import Gateway  # noqa: E402
from providers.web import client_address  # noqa: E402

_MB = 1 << 20
monitoring.start("web")


def _ip_address(scope: Scope) -> str:
    """What is throttled as one client."""
    forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return client_address.network_of_connection((scope.get("client") or ("", 0))[0], forwarded.decode("latin1"))


application = Entry(
    api=Gateway("config.gateway_urls"),
    pages=Pages(WSGIHandler(), threads=settings.PAGE_THREADS, timeout=settings.PAGE_TIMEOUT),
    api_limit=settings.GATEWAY_LARGEST_REQUEST,
    limits={
        "/admin/": settings.ADMIN_LARGEST_REQUEST,
        "/playground/": 25 * _MB,
        "/webhooks/": 5 * _MB,
        "": _MB,
    },
    ip_address=_ip_address,
    readiness=health.readiness,
)

get_resolver().url_patterns  # noqa: B018 - imports all pages, for which the first visitor of a process would wait
gc.collect()
gc.freeze()  # what is loaded now stays: it need not be looked through again and again while images pass
gc.set_threshold(10_000, 20, 50)  # a request makes thousands of small objects, and hardly a cycle
