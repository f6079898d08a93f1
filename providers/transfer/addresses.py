"""Whose IP address is this: a public host's, this machine's, or one in between where nobody outside may send us."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

USER_AGENT = "image-arena/0.1"  # some image hosts answer 403 to a request without one

# What is not the public internet: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates), the
# multicast and reserved blocks. A list of our own, because that of the interpreter differs between releases: Python
# 3.11.7 takes 192.0.0.192, the metadata service of a cloud, for public.
_NOT_PUBLIC_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# RFC 6761, 6762, 8375; ICANN reserved .internal for such networks in 2024.
_LOCAL_NAMES = (".localhost", ".local", ".home.arpa", ".internal")
# Only 2000::/3 is in use; within it these are not hosts of the public internet.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
# Ways to write an IPv4 address in IPv6: it is as public as the IPv4 address in its last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IN_LAST_32_BITS = (_NAT64, ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("::ffff:0:0:0/96"))


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


def is_inside(url: str) -> bool:
    """True for a URL whose host is written as an IP address of no public network, or has a name that only local
    networks know."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if f".{host}".endswith(_LOCAL_NAMES):
        return True
    try:
        return not is_public(_plain_ip(host))
    except ValueError:  # a name: where it leads is known when it is connected to
        return False


def _plain_ip(host: str) -> str:
    """127.1, 0x7f000001 and 2130706433 as resolvers read them: 127.0.0.1. Any other text as it is."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return host


def is_public(address: str) -> bool:
    """True for an IP address of the public internet, also when it is an IPv4 one written in IPv6."""
    ip = _plain(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    if (inner := ip.sixtofour or (ip.teredo[1] if ip.teredo else None)) is not None and not is_public(str(inner)):
        return False
    return ip in _GLOBAL_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IP address without its zone, and as IPv4 where it is one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and any(ip in network for network in _IN_LAST_32_BITS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the order to try them."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))
