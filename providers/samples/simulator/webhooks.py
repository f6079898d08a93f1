"""Webhooks to this machine, signed as the companies sign theirs – or not, where a prompt asks for that.

The keys are made up and the same every time; they prove nothing but that the verification works.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from providers.transfer.addresses import is_loopback

from .jobs import SimulatedJob, Workshop

SECRET = "whsec_" + base64.b64encode(b"a secret of the simulator, not of Replicate").decode()
_SEED = hashlib.sha256(b"the simulator's ED25519 key, not fal's").digest()
OLD = 600  # seconds

Signed = Callable[[bytes, int], dict[str, str]]


def send(workshop: Workshop, job: SimulatedJob, url: str, body: Callable[[], Any], signed: Signed) -> None:
    """Sends the job's webhook once it is over. To this machine only: nothing leaves it."""
    if is_loopback(url):
        threading.Thread(target=_deliver, args=(workshop, job, url, body, signed), daemon=True).start()


def _deliver(workshop: Workshop, job: SimulatedJob, url: str, body: Callable[[], Any], signed: Signed) -> None:
    kind, _, delay = job.scenario.text("webhook").partition(":")
    workshop.wait(job)
    if kind == "late" and workshop.stopping.wait(float(delay or 1)):
        return
    if kind == "none" or workshop.stopping.is_set():
        return
    data = json.dumps(body()).encode()
    headers = {"Content-Type": "application/json", **signed(data, int(time.time()) - (OLD if kind == "old" else 0))}
    if kind == "forged":
        data = data.replace(b":", b": ", 1)  # says the same, but is not what was signed
    with contextlib.suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=10) as client:
        for _ in range(2 if kind == "duplicate" else 1):
            client.post(url, content=data, headers=headers)


def as_fal(job: SimulatedJob) -> Signed:
    def signed(body: bytes, timestamp: int) -> dict[str, str]:
        message = "\n".join((job.id, "simulated-user", str(timestamp), hashlib.sha256(body).hexdigest()))
        return {
            "X-Fal-Webhook-Request-Id": job.id, "X-Fal-Webhook-User-Id": "simulated-user",
            "X-Fal-Webhook-Timestamp": str(timestamp), "X-Fal-Webhook-Signature": _key().sign(message.encode()).hex(),
        }  # fmt: skip

    return signed


def as_replicate(body: bytes, timestamp: int) -> dict[str, str]:
    """With a second signature before the good one, as while a secret is being changed."""
    message_id = f"msg_{uuid.uuid4().hex}"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    other = base64.b64encode(hashlib.sha256(body).digest()).decode()
    signature = f"v1,{other} v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def jwks() -> dict[str, Any]:
    """The public keys: an old one that signs nothing any more, and the one in use."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = _key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    keys = [hashlib.sha256(b"an old key").digest(), raw]
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(key).rstrip(b"=").decode()} for key in keys
        ]
    }


def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # loaded with the first webhook

    return ed25519.Ed25519PrivateKey.from_private_bytes(_SEED)
