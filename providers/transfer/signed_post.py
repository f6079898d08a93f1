"""A signed POST to a URL that a stranger named, as Standard Webhooks says. https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

import httpcore

from providers.errors import ProviderError
from providers.transfer import upload
from providers.transfer.deadline import Deadline

TIME_LIMIT = 10.0  # seconds
PREFIX = "whsec_"  # of every secret; the rest is base64


def post(
    url: str, payload: Mapping[str, Any], *, secret: str, message_id: str, trusted: Collection[str] = ()
) -> tuple[int, str]:
    """(status, 0 without one; what to show of it). The response's body is not read, redirects are not followed."""
    body, now = json.dumps(payload, ensure_ascii=False).encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, message_id, now, body),
    }
    try:
        status = upload.send("POST", url, body, headers, deadline=Deadline(TIME_LIMIT), trusted=trusted)
    except (ProviderError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        detail = getattr(error, "detail", "") or str(error) or type(error).__name__
        return 0, f"no answer: {detail}"[:200]
    return status, str(status)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Of version 1: HMAC-SHA256 over id, time and body, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
