"""Who asks, how often they may, and for how much."""

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
from providers.gateway.errors import Refusal, wait
from providers.models import ApiKey, GatewayRequest
from providers.spending.daily_cap import dollars

_NOTED_EVERY = timedelta(minutes=1)  # `last_used_at` is for people; a write for every request is not worth it

# GCRA with a burst: the key's whole minute may be used at once, then requests come back one by one.
_TAKE = """
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
class Allowance:
    """What is left of a key's minute; None where nobody counts, because Valkey is away."""

    limit: int
    remaining: int | None = None
    reset: float = 0.0

    def headers(self) -> dict[str, str]:
        """As OpenAI names them."""
        if self.remaining is None:
            return {}
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": f"{self.reset:.3f}s",
        }


def authenticate(request: HttpRequest) -> ApiKey:
    """The key of the request. Raises Refusal (401), which says whether there was none or a wrong one."""
    return _known(_secret_of(request))


def recognise(request: HttpRequest) -> ApiKey:
    """The same, but as it was some seconds ago: whoever makes something by it has it confirmed (lookup_cache.py)."""
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
        raise _unauthorised(f"The API key {secret[:11]}… is not known, or it was revoked.")
    return key


def of_secret(secret: str) -> ApiKey | None:
    """The usable key with this secret."""
    key: ApiKey | None = ApiKey.objects.usable().filter(digest=ApiKey.digest_of(secret)).first()
    if key is None:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def _unauthorised(message: str) -> Refusal:
    return Refusal(401, "invalid_api_key", message, headers={"WWW-Authenticate": "Bearer"})


def admit(key: ApiKey) -> Allowance:
    """One request more in this minute. Raises Refusal (429), with the time to come back."""
    limit: int = key.requests_per_minute or settings.GATEWAY_RATE
    allowance = take(f"gateway:key:{key.pk}", limit)
    if allowance.remaining is not None and allowance.remaining < 0:
        message = f"This key may ask {limit} times a minute. Wait {allowance.reset:.1f} s."
        raise wait("rate_limit_exceeded", message, allowance.reset)
    return allowance


def take(place: str, per_minute: int) -> Allowance:
    """One request more at `place`; `remaining` is -1, and `reset` the time to wait, when that is one too many."""
    found = valkey.run(_TAKE, [place], [round(60_000_000 / per_minute), per_minute])
    if found is None:
        return Allowance(per_minute)
    return Allowance(per_minute, int(found[0]), int(found[1]) / 1_000_000)


def spent(key: ApiKey) -> Decimal:
    """What the key's requests of this month have cost, those under way with what is reserved for them."""
    amount = Coalesce(F("cost"), F("reserved"))
    found: Decimal | None = key.requests.filter(asked_at__gte=month()).aggregate(total=Sum(amount))["total"]
    return found or Decimal(0)


def check_budget(key: ApiKey, price: Decimal | None) -> None:
    """Pass, or refuse (402) what would take the key above its budget. An unknown price passes while any is left."""
    if key.monthly_budget is None:
        return
    so_far = spent(key)
    if so_far < key.monthly_budget and so_far + (price or 0) <= key.monthly_budget:
        return
    costs = "an unknown amount" if price is None else f"about {dollars(price)}"
    raise Refusal(
        402,
        "budget_exceeded",
        f"{dollars(so_far)} of the {dollars(key.monthly_budget)} that this key may spend in a month are spent, and "
        f"this request costs {costs}. The month is over at midnight UTC of its last day.",
        kind="insufficient_quota",
    )


def month() -> datetime:
    return timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def recent(key: ApiKey) -> list[GatewayRequest]:
    return list(key.requests.defer("answer", "files")[:200])
