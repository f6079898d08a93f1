"""What every adapter needs: the account it speaks for, the time it has, and the contract it keeps.

An adapter turns a `ProviderCall` into an `Answer` or raises one leaf of `providers.errors`; nothing else leaves it.
It is synchronous (workers are threads), holds no state, and knows neither Django nor Celery.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from providers.request import Answer, ProviderCall
from providers.transfer.addresses import USER_AGENT, is_loopback, origin_of
from providers.transfer.deadline import Deadline

__all__ = ["NO_KEY", "Account", "Adapter", "Deadline", "new_client"]

NO_KEY = "none"  # the key of a server that needs none: it is called, but no key is sent


@dataclass(frozen=True, slots=True)
class Account:
    """One provider as this installation reaches it: which adapter speaks to it, where it is, and our key.

    `simulated` marks our own simulator: its images are samples and cost nothing, wherever it runs. `allow_loopback`
    lets another account be on this machine, `allow_private` on a private network, there also without TLS.
    """

    key: str
    name: str
    adapter: str
    urls: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()  # the provider's own: its jobs may be on any https host below them
    api_key: str = field(default="", repr=False)
    webhook_key: str = field(default="", repr=False)  # what proves its webhooks: a shared secret, or where its keys are
    webhook_url: str = ""  # where it should send them; "" for none
    simulated: bool = False
    allow_loopback: bool = False
    allow_private: bool = False
    json_edits: bool = False  # edits as JSON with data: URLs instead of a form (OpenAI-compatible providers)

    @property
    def is_simulated(self) -> bool:
        """As the settings say; a URL never decides it: a proxy on this machine may spend real money."""
        return self.simulated

    @property
    def trusted_origins(self) -> frozenset[str]:
        """Its origins on this machine or a private network that it may use; everything else has to be public https."""
        if self.allow_private:
            return frozenset(map(origin_of, self.urls.values())) - {""}
        if not (self.simulated or self.allow_loopback):
            return frozenset()
        return frozenset(origin_of(url) for url in self.urls.values() if is_loopback(url))

    def owns(self, url: str) -> bool:
        """May a request that carries our key go to this URL? Only to the account's own hosts, and encrypted."""
        origin = origin_of(url)
        if origin in self.trusted_origins:
            return True
        if not origin.startswith("https://") or is_loopback(url):
            return False
        host = origin.removeprefix("https://").removesuffix(":443")
        return origin in {origin_of(own) for own in self.urls.values()} or any(
            f".{host}".endswith(f".{domain}") for domain in self.domains
        )


class Adapter(Protocol):
    """Speaks one wire format. Differences between models are data in the call, not code in the adapter."""

    def generate(self, call: ProviderCall, *, account: Account, http: httpx.Client, deadline: Deadline) -> Answer: ...


def new_client(ssl_context: ssl.SSLContext | None = None) -> httpx.Client:
    """A client for adapters; it is thread-safe and reuses connections.

    Proxies of the environment are not used: result URLs are checked against the IP address they resolve to here, which
    a proxy would resolve again. A private CA is still taken from SSL_CERT_FILE.
    """
    return httpx.Client(
        headers={"User-Agent": USER_AGENT},
        verify=ssl_context or httpx.create_ssl_context(),
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
    )
