"""From which network a browser comes, as a keyed hash that nobody can turn back into an IP address later.

Two of them: of the IPv4 address or the IPv6 /64 (what one subscriber has), and of the IPv4 /24 or the IPv6 /48 (what
one customer of a hosting company can have). The key is random, shared by all processes through Valkey, and no part of
the database or of its backups. A new month gets a new one; the old one ends by itself, and with it any way back from
hash to IP address. The hashes themselves are blanked after `NETWORK_RETENTION_DAYS`.

Without Valkey no network is known, and nobody is limited by it: votes go on, and the log says so.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from arena.models import Report, Voter
from providers.cache import ProcessCache
from providers.web import client_address

log = logging.getLogger(__name__)

_keys: ProcessCache[str, str] = ProcessCache(seconds=60.0, max_entries=2)


@dataclass(frozen=True, slots=True)
class Network:
    """Hashes of 16 hex digits; "" where the network is not known."""

    address: str = ""
    prefix: str = ""


UNKNOWN = Network()


def of(request: HttpRequest) -> Network:
    """Keyed hashes of the client's address and of its /24 or /48; UNKNOWN without an IP address or a key."""
    ip = client_address.ip_of(request)
    try:
        parsed = ip_address(ip)
    except ValueError:
        return UNKNOWN  # a Unix socket
    key = _key(timezone.now())
    if not key:
        return UNKNOWN
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv6Address):
        wide = str(IPv6Network((parsed, 48), strict=False))
    else:
        wide = str(IPv4Network((parsed, 24), strict=False))
    return Network(_hash(key, f"address {client_address.network_of(request)}"), _hash(key, f"prefix {wide}"))


def forget_old() -> int:
    """Blank hashes older than NETWORK_RETENTION_DAYS; returns of how many rows."""
    before = timezone.now() - timedelta(days=settings.NETWORK_RETENTION_DAYS)
    voters = Voter.objects.filter(created_at__lt=before).exclude(network="", prefix="").update(network="", prefix="")
    reports = Report.objects.filter(created_at__lt=before).exclude(network="").update(network="")
    return voters + reports


def _hash(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


def _key(now: datetime) -> str:
    """The key of this month, made by the first process that needs it; "" while Valkey is away."""
    name = f"integrity:network-key:{now:%Y-%m}"
    known = _keys.get(name)
    if known:
        return known
    try:
        month_end = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        cache.add(name, secrets.token_hex(32), timeout=int((month_end - now).total_seconds()) + 1)
        key = cache.get(name, "")
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): networks are not known, so they limit nobody.", error)
        return ""
    return _keys.put(name, key) if key else ""
