"""Is this webhook from the provider it says? Pure: headers, body, keys and the time in; the event or Forged out.

fal         ED25519 over request id, user id, timestamp and SHA-256 of the body, each on a line of its own; the public
            keys are published as a JWKS, and any of them may have signed
Replicate   Standard Webhooks: HMAC-SHA256 over "id.timestamp.body" with a shared secret; while a secret is being
            changed there are several signatures, and one good one is enough

Both sign the time, and what is older or newer than five minutes is refused, so that a recorded webhook cannot be played
again for ever. Within those minutes the same webhook may come twice: providers repeat what was not answered in time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE = 300  # seconds


class Forged(Exception):
    """Not signed by the provider, or not now. The message is for our log, not for the sender."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What a verified webhook says: which job, and what became of it in the provider's own word."""

    job_id: str
    status: str


def verify_fal(headers: Mapping[str, str], body: bytes, keys: Iterable[bytes], now: float) -> WebhookEvent:
    """`keys` are the raw public keys of `fal_keys`."""
    request_id, user_id, timestamp, signature = (
        headers.get(f"x-fal-webhook-{name}", "") for name in ("request-id", "user-id", "timestamp", "signature")
    )
    _check_age(timestamp, now)
    message = "\n".join((request_id, user_id, timestamp, hashlib.sha256(body).hexdigest())).encode()
    try:
        signed = bytes.fromhex(signature)
    except ValueError:
        raise Forged("the signature is not hexadecimal") from None
    if not any(_is_signed(key, signed, message) for key in keys):
        raise Forged("no key of fal's has made this signature")
    return _event(body, "request_id")


def _is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fal_keys(jwks: Any) -> list[bytes]:
    """The ED25519 public keys in a JSON Web Key Set; whatever else is in it is passed over."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    keys = []
    for entry in listed if isinstance(listed, list) else []:
        text = entry.get("x") if isinstance(entry, dict) else None
        if isinstance(text, str):
            try:
                key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                continue
            if len(key) == 32:
                keys.append(key)
    return keys


def verify_replicate(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> WebhookEvent:
    """`secret` is the account's "whsec_…"."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    _check_age(timestamp, now)
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Forged("the secret of this installation is not one of Replicate's (whsec_…)")
    message = f"{message_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, message, "sha256"))
    given = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    if not any(version == "v1" and hmac.compare_digest(expected, text.encode()) for version, _, text in given):
        raise Forged("no signature of this webhook is made with our secret")
    return _event(body, "id")


def _check_age(timestamp: str, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise Forged("there is no timestamp")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise Forged(f"it was signed {now - int(timestamp):.0f} s ago")


def _event(body: bytes, id_field: str) -> WebhookEvent:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    fields = value if isinstance(value, dict) else {}
    return WebhookEvent(str(fields.get(id_field) or ""), str(fields.get("status") or ""))
