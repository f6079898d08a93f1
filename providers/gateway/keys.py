"""API keys: whose they are, how often they may be used, and for how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from providers.admission import valkey
from providers.gateway import lookup_cache
from providers.gateway.errors import ApiError, rate_limited
from providers.models import ApiKey
from providers.spending.daily_cap import dollars

_USE_RECORDED_EVERY = timedelta(minutes=1)  # `last_used_at` is for people; a write for every request is not worth it

# GCRA with a burst: the whole minute's requests may come at once, then capacity returns one request at a time.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + interval
local over = at - now - interval * burst
if over > 0 then return {-1, string.format('%.0f', over)} end
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', string.format('%.0f', math.ceil((at - now) / 1000) + 1))
return {math.floor(-over / interval), string.format('%.0f', at - now)}
"""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of a key's requests per minute; `remaining` is None while Valkey cannot be reached."""

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
        """As OpenAI names them."""
        if self.remaining is None:
            return {}
        return {
            "x-ratelimit-limit-requests": str(self.limit),
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


def _secret_of(request: HttpRequest) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise _unauthorised("No API key was sent. Send it in the header 'Authorization: Bearer ia_…'.")
    return secret


def _known(secret: str) -> ApiKey:
    key = of_secret(secret)
    if key is None:
        raise _unauthorised("This API key is unknown or revoked.")
    return key


def of_secret(secret: str) -> ApiKey | None:
    """The usable key with this secret."""
    key: ApiKey | None = ApiKey.objects.usable().filter(digest=ApiKey.digest_of(secret)).first()
    if key is None:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _USE_RECORDED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _unauthorised(message: str) -> ApiError:
    return ApiError(401, "invalid_api_key", message, headers={"WWW-Authenticate": "Bearer"})


def count_request(key: ApiKey) -> RateLimit:
    """Count one request more against the key's limit per minute."""
    return count(f"gateway:key:{key.pk}", key.requests_per_minute or settings.GATEWAY_RATE)


def count(bucket: str, per_minute: int) -> RateLimit:
    """Count one request more in `bucket`."""
    reply = valkey.run(_COUNT, [bucket], [round(60_000_000 / per_minute), per_minute])
    if reply is None:
        return RateLimit(per_minute)
    return RateLimit(per_minute, int(reply[0]), int(reply[1]) / 1_000_000)


def spent(key: ApiKey) -> Decimal:
    """USD that the key's requests of this month have cost; a running request counts with what is reserved for it."""
    amount = Coalesce(F("cost"), F("reserved"))
    total: Decimal | None = key.requests.filter(asked_at__gte=month()).aggregate(total=Sum(amount))["total"]
    return total or Decimal(0)


def check_budget(key: ApiKey, price: Decimal | None) -> None:
    """Raises ApiError: 402 when `price` (USD) would exceed the budget. An unknown price passes while any is left."""
    if key.monthly_budget is None:
        return
    so_far = spent(key)
    if so_far < key.monthly_budget and so_far + (price or 0) <= key.monthly_budget:
        return
    costs = "an unknown amount" if price is None else f"about {dollars(price)}"
    raise ApiError(
        402,
        "budget_exceeded",
        f"{dollars(so_far)} of the {dollars(key.monthly_budget)} that this key may spend in a month are spent, and "
        f"this request costs {costs}. The budget starts anew at midnight UTC on the first of next month.",
        kind="insufficient_quota",
    )


def month() -> datetime:
    return timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
