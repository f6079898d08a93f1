"""Whose address is this: a public host's, this machine's, or one in between where nobody outside may send us."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

USER_AGENT = "image-arena/0.1"  # some image hosts answer 403 to a request without one

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, default ports written out; "" when it is not an http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def is_loopback(url: str) -> bool:
    """True for a URL on this very machine, judged by its text alone (no name is resolved but `localhost`)."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """True for an IP address of the public internet, also when it is an IPv4 one in IPv6 clothes."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the order to try them."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))
