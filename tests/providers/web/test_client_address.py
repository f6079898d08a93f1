"""Where a request comes from: by the proxies' word, and never by the client's own."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from providers.web import client_address


@pytest.mark.parametrize(
    ("hops", "peer", "forwarded", "expected"),
    [
        (0, "203.0.113.5", "198.51.100.1", "203.0.113.5"),  # nobody is believed
        (1, "127.0.0.1", "198.51.100.1", "198.51.100.1"),
        (1, "127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what the client wrote itself stands left of it
        (2, "10.0.0.9", "6.6.6.6, 198.51.100.1, 10.0.0.4", "198.51.100.1"),
        (2, "10.0.0.9", "198.51.100.1", "198.51.100.1"),  # came in behind the outer proxy
        (1, "203.0.113.5", "198.51.100.1", "203.0.113.5"),  # came in past the proxies: the header is its own
        (1, "127.0.0.1", "", "127.0.0.1"),
        (1, "127.0.0.1", "unknown", "127.0.0.1"),
        (1, "", "198.51.100.1", "198.51.100.1"),  # a proxy on a Unix socket
        (1, "::1", "198.51.100.1:4711", "198.51.100.1"),
        (1, "::1", "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "::1", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_address_is_the_one_that_our_own_proxies_wrote(settings, hops, peer, forwarded, expected):
    settings.TRUSTED_PROXY_HOPS = hops
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})
    assert client_address.ip_of(request) == expected


@pytest.mark.parametrize(
    ("peer", "origin"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", ""),
    ],
)
def test_a_subscriber_with_a_network_of_addresses_is_throttled_as_one(peer, origin):
    assert client_address.network_of(RequestFactory().get("/", REMOTE_ADDR=peer)) == origin
