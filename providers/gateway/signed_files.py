"""Images behind signed URLs: everyone who has the URL sees the image until it expires; then the file is deleted.

A URL needs no key, because people put it into `<img>`; it is signed, so it can be neither guessed nor prolonged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from providers.files import spool
from providers.gateway import idempotency, process
from providers.gateway.image_formats import EXTENSIONS
from providers.models import GatewayRequest
from providers.request import GeneratedImage

FOLDER = "gateway"
NAME = re.compile(r"[0-9a-f]{32}-\d{1,2}\.(?:png|jpg|gif|webp|avif)")
_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "X-Robots-Tag": "noindex, noimageindex",
}


def store(row: GatewayRequest, images: Sequence[GeneratedImage]) -> list[dict[str, Any]]:
    """Store the images; return the value of `GatewayRequest.files`."""
    files = []
    for number, image in enumerate(images):
        name = f"{FOLDER}/{row.pk.hex}-{number}.{EXTENSIONS[image.content_type]}"
        spool.save(name, image.data)
        files.append({"name": name, "type": image.content_type, "width": image.width, "height": image.height})
    return files


def url(origin: str, name: str, expires: int) -> str:
    """`expires` in seconds since 1970; `name` is that of the file store."""
    short = name.removeprefix(f"{FOLDER}/")
    return f"{origin}/openai/files/{short}?expires={expires}&signature={_signature(short, expires)}"


def is_signed(name: str, expires: str, signature: str) -> bool:
    """True for a signature made here that has not expired."""
    if not expires.isdecimal() or len(expires) > 12:
        return False
    return constant_time_compare(_signature(name, int(expires)), signature) and int(expires) > time.time()


def _signature(name: str, expires: int) -> str:
    return salted_hmac("providers.gateway.files", f"{name} {expires}", algorithm="sha256").hexdigest()[:40]


def read(name: str) -> tuple[bytes, str] | None:
    """(bytes, content type) of a stored image; None when it is gone."""
    try:
        return spool.read(f"{FOLDER}/{name}"), _TYPES[name.rpartition(".")[2]]
    except FileNotFoundError:
        return None


def prune() -> int:
    """Delete expired images, and fail requests whose process died; return how many requests' images were deleted."""
    count = 0
    for row in GatewayRequest.objects.expired()[:1000]:
        for file in row.files:
            if file:
                spool.delete(file["name"])
        # The response cannot be sent again, so its idempotency key may stand for a new request.
        GatewayRequest.objects.filter(pk=row.pk).update(files=[], files_expire_at=None, answer={}, idempotency_key="")
        count += 1
    _fail_lost()
    return count


def _fail_lost() -> None:
    """Fail what was running in a process that died, or for longer than any request may.

    A job of which nothing was requested yet waits for a worker, however long; what the playground asks with a key is
    the playground's to give up. Failed here, both could still run, and would cost their key nothing.
    """
    now = timezone.now()
    running = GatewayRequest.objects.filter(status="running").order_by("asked_at")
    started = (
        running.exclude(queued__isnull=False, queued__started_at=None)
        .exclude(trial__status__in=["queued", "running"])
        .annotate(since=Coalesce("queued__started_at", "asked_at"))
    )
    for row in started.filter(since__lt=now - timedelta(seconds=settings.GATEWAY_TIME_LIMIT * 4 + 60))[:1000]:
        idempotency.fail_lost(row)
    recent = running.filter(asked_at__lt=now - timedelta(seconds=2 * process.TTL)).exclude(process="")
    for row in recent.filter(queued=None)[:1000]:
        if process.is_dead(row.process):
            idempotency.fail_lost(row)
