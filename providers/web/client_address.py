"""The IP address of a client, for throttling alone: nobody is recognised by it, and it is stored nowhere.

Behind proxies every connection is a proxy's. Each one appends its client's IP address to X-Forwarded-For, so the
entries on the right are theirs, as many as there are proxies, and anything left of them is what the client wrote.
`TRUSTED_PROXY_HOPS` says how many there are, `TRUSTED_PROXIES` from which networks they connect: the header of a
request from any other network is ignored.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def ip_of(request: HttpRequest) -> str:
    """The client's IP address; "" where there is none (a Unix socket)."""
    return _ip_of(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def _ip_of(own: str, forwarded: str) -> str:
    hops: int = settings.TRUSTED_PROXY_HOPS
    if not hops or not _is_proxy(own):
        return str(own)
    entries = [entry.strip() for entry in forwarded.split(",")]
    # Fewer entries than proxies: it came in behind the first of them. The outermost one left is still written by ours.
    return _without_port(entries[-hops:][0]) or str(own)


def network_of(request: HttpRequest) -> str:
    """What is throttled as one client: an IPv4 address, or the /64 network that one subscriber has of IPv6."""
    return _network_of(ip_of(request))


def network_of_connection(own: str, forwarded: str) -> str:
    """As `network_of`, before there is a request of Django's: the connection's IP address, and X-Forwarded-For."""
    return _network_of(_ip_of(own, forwarded))


def _network_of(ip: str) -> str:
    try:
        parsed = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
    return ip


def _is_proxy(ip: str) -> bool:
    if not ip:
        return True
    try:
        parsed = ip_address(ip)
    except ValueError:
        return False
    return any(parsed in ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)


def _without_port(entry: str) -> str:
    """As proxies write it: 192.0.2.7, 192.0.2.7:4711, 2001:db8::7, [2001:db8::7]:4711; "" when it is no IP address."""
    text = entry.partition("]")[0].removeprefix("[") if entry.startswith("[") else entry
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
