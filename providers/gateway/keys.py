"""API keys: whose they are, and how often they may be used."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from providers.admission import valkey
from providers.gateway import lookup_cache
from providers.gateway.errors import ApiError, rate_limited
from providers.models import ApiKey
from providers.transfer.signed_post import PREFIX

_USE_RECORDED_EVERY = timedelta(minutes=1)  # `last_used_at` is for people; a write for every request is not worth it

# GCRA with a burst: the whole minute's requests may come at once, then capacity returns one request at a time. ARGV:
# interval, burst, requests to count; none: what is left is looked up.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + interval * count
local over = at - now - interval * burst
if over > 0 then return {-1, string.format('%.0f', over)} end
if count > 0 then
    redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', string.format('%.0f', math.ceil((at - now) / 1000) + 1))
end
return {math.floor(-over / interval), string.format('%.0f', at - now)}
"""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of a key's requests per minute; `remaining` is None where nobody has counted: Valkey cannot be
    reached, or no thread is free to ask it."""

    limit: int
    remaining: int | None = None  # -1: this request is one too many
    reset: float = 0.0  # seconds until the whole limit is back; when exceeded, until the next request may come

    @property
    def is_exceeded(self) -> bool:
        return self.remaining is not None and self.remaining < 0

    def check(self) -> None:
        """Raises ApiError: 429, with the time to wait."""
        if self.is_exceeded:
            message = f"This key may send {self.limit} requests per minute. Wait {self.reset:.1f} s."
            raise rate_limited("rate_limit_exceeded", message, self.reset)

    def headers(self) -> dict[str, str]:
        """As OpenAI names them; without those of a number that is not known."""
        headers = {"x-ratelimit-limit-requests": str(self.limit)}
        if self.remaining is None:
            return headers
        return headers | {
            "x-ratelimit-remaining-requests": str(max(0, self.remaining)),
            "x-ratelimit-reset-requests": f"{self.reset:.3f}s",
        }


def authenticate(request: HttpRequest) -> ApiKey:
    """The key of the request. Raises ApiError: 401, whose message says whether it is missing or unknown."""
    return _known(_secret_of(request))


def authenticate_cached(request: HttpRequest) -> ApiKey:
    """The same, up to some seconds old: what is made with it has to be confirmed (lookup_cache.py)."""
    secret = _secret_of(request)
    return lookup_cache.api_keys.get_or_compute(ApiKey.digest_of(secret), lambda: _known(secret))


def remembered_limit(request: HttpRequest) -> RateLimit | None:
    """The limit of the request's key, if this process has just seen it: neither the database nor Valkey is asked."""
    try:
        key = lookup_cache.api_keys.get(ApiKey.digest_of(_secret_of(request)))
    except ApiError:
        return None
    return None if key is None else RateLimit(_per_minute(key))


def _secret_of(request: HttpRequest) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise _unauthorised("No API key was sent. Send it in the header 'Authorization: Bearer ia_…'.")
    return secret


def _known(secret: str) -> ApiKey:
    key = of_secret(secret)
    if key is None:
        raise _unauthorised("This API key is unknown, expired or revoked.")
    return key


def of_secret(secret: str) -> ApiKey | None:
    """The usable key with this secret. Its `version` is Postgres' of the row, by which a cached key is confirmed."""
    usable = ApiKey.objects.usable().with_digest(ApiKey.digest_of(secret)).with_version()
    key: ApiKey | None = usable.first()
    now = timezone.now()
    if key is not None and (key.last_used_at is None or now - key.last_used_at > _USE_RECORDED_EVERY):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        key = usable.first()
    return key


def forget(request: HttpRequest) -> None:
    """Remove the request's key from the cache."""
    lookup_cache.api_keys.delete(ApiKey.digest_of(_secret_of(request)))


def _unauthorised(message: str) -> ApiError:
    return ApiError(401, "invalid_api_key", message, headers={"WWW-Authenticate": "Bearer"})


def party_of(key: ApiKey) -> str:
    """Whose failures a request's are (admission/circuit_breaker.py)."""
    return f"key {key.pk}"


def webhook_secret(key: ApiKey) -> str:
    """With which the webhooks of this key's requests are signed: derived, so it is stored nowhere and changes with
    SECRET_KEY alone."""
    digest = salted_hmac("providers.gateway.webhooks", str(key.pk), algorithm="sha256").digest()
    return PREFIX + base64.b64encode(digest[:24]).decode()


def count_request(key: ApiKey, requests: int = 1) -> RateLimit:
    """Count requests against the key's limit per minute; 0 looks up what is left."""
    return count(f"gateway:key:{key.pk}", _per_minute(key), requests)


def _per_minute(key: ApiKey) -> int:
    per_minute: int = key.requests_per_minute or settings.GATEWAY_RATE
    return per_minute


def count(bucket: str, per_minute: int, requests: int = 1) -> RateLimit:
    """Count requests in `bucket`."""
    interval = max(1, round(60_000_000 / per_minute))  # microseconds
    reply = valkey.run(_COUNT, [bucket], [interval, per_minute, requests])
    if reply is None:
        return RateLimit(per_minute)
    return RateLimit(per_minute, int(reply[0]), int(reply[1]) / 1_000_000)
