"""POST /webhooks/<provider>/: what a provider reports about a job, once its signature is verified.

No image waits for a webhook. A worker polls its own job until it is done, which needs no public URL of this site and
works the same on a laptop; a result that came in by another process would have to be passed to the worker that waits,
to save it one poll. What webhooks are good for is the job whose answer we lost: it is recorded as possibly charged, and
here the provider says what became of it, in the log and for a day in the cache.

They are requested only where WEBHOOK_URL says how the internet reaches this view. The second time is harmless:
providers repeat what was not answered in time. A forged one gets 401 and leaves no trace but a line in the log. That
fal has signed a webhook does not make the job ours – any customer of fal may name our URL – so a report is looked up by
a job's id and changes nothing else.
"""

from __future__ import annotations

import logging
import time

import httpx
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from providers.accounts import accounts
from providers.adapters.base import Account
from providers.transfer.addresses import USER_AGENT
from providers.webhooks.signatures import Forged, WebhookEvent, fal_keys, verify_fal, verify_replicate

logger = logging.getLogger(__name__)

REPORT_LIFETIME = 24 * 3600  # seconds; longer than any provider repeats itself
KEYS_MAX_AGE = 24 * 3600  # seconds; fal asks for no more than a day
KEYS_MIN_AGE = 300  # seconds in which an unknown signature is not taken for a change of keys
KEYS_COOL_DOWN = 60  # seconds between two questions for the keys, whatever came of the first


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    account = accounts().get(provider)
    if account is None or account.adapter not in ("fal", "replicate") or not account.webhook_key:
        return HttpResponse("No webhooks are expected from this provider.\n", "text/plain", status=404)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        event = _verified(account, headers, request.body)
    except Forged as error:
        logger.warning("A webhook in the name of %s was refused: %s.", account.name, error)
        return HttpResponse(status=401)
    except httpx.HTTPError as error:
        logger.warning("A webhook of %s cannot be verified now: %s", account.name, error)
        return HttpResponse(status=503)  # it is sent again
    if cache.add(_cache_key(provider, event.job_id), event.status, REPORT_LIFETIME):
        logger.info("%s reports job %s: %s.", account.name, event.job_id, event.status)
    return HttpResponse(status=204)


def reported(provider: str, job_id: str) -> str | None:
    """The status that the provider reported for a job, in its own word; None if it has not or too long ago."""
    status: str | None = cache.get(_cache_key(provider, job_id))
    return status


def _cache_key(provider: str, job_id: str) -> str:
    return f"webhook:{provider}:{job_id[:120]}".replace(" ", "_")


def _verified(account: Account, headers: dict[str, str], body: bytes) -> WebhookEvent:
    now = time.time()
    if account.adapter == "replicate":
        return verify_replicate(headers, body, account.webhook_key, now)
    try:
        return verify_fal(headers, body, _keys(account.webhook_key, max_age=KEYS_MAX_AGE), now)
    except Forged:
        return verify_fal(headers, body, _keys(account.webhook_key, max_age=KEYS_MIN_AGE), now)


def _keys(url: str, *, max_age: float) -> list[bytes]:
    """fal's public keys, asked for once a minute at most: a flood of forgeries must not tie up our threads."""
    cache_key = f"webhook-keys:{url}"
    cached: tuple[float, list[bytes]] | None = cache.get(cache_key)
    if cached is not None and time.time() - cached[0] < max_age:
        return cached[1]
    if not cache.add(f"{cache_key}:asked", True, KEYS_COOL_DOWN):
        if cached is None:
            raise httpx.TransportError("its keys were asked for a moment ago.")
        return cached[1]
    answer = httpx.get(url, headers={"User-Agent": USER_AGENT}, timeout=5, trust_env=False).raise_for_status()
    keys = fal_keys(_json(answer))
    cache.set(cache_key, (time.time(), keys), KEYS_MAX_AGE)
    return keys


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
