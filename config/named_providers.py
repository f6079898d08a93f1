"""Any number of OpenAI-compatible providers by environment: another gateway, or an image server of the operator's own.

    OPENAI_COMPATIBLE_PROVIDERS="lumenfall=https://api.lumenfall.ai/openai/v1 local=http://127.0.0.1:8080/v1"
    LUMENFALL_API_KEY=…
    LOCAL_API_KEY=none

The name is what offerings say as their provider, and it names the variable of the key. A provider without a key is
known but never called, like every other; a server that wants no key says so with the word `none`, because silence must
not start spending money or sending prompts somewhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

VARIABLE = "OPENAI_COMPATIBLE_PROVIDERS"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED = "simulated-"


def openai_compatible(
    text: str,
    environment: Mapping[str, str],
    *,
    taken: Collection[str],
    allow_loopback: bool,
    private: Collection[str] = (),
) -> dict[str, dict[str, Any]]:
    """The entries for settings.PROVIDERS. ImproperlyConfigured says what is wrong and what to write instead; a wrong
    URL may hold a password, so the message has its name alone."""
    providers: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(text.replace(",", " ").split(), 1):
        name, equals, url = entry.partition("=")
        if not equals or not _NAME.fullmatch(name):
            rule = "write name=URL, the name in lower-case letters, digits and single hyphens"
            raise _wrong(f"entry {number}", rule)
        if name in taken or name in providers or name.startswith(_RESERVED):
            raise _wrong(name, "the name is taken; choose another")
        _check_url(name, url, allow_loopback=allow_loopback, is_private=name in private)
        key = environment.get(f"{name.replace('-', '_').upper()}_API_KEY", "")
        providers[name] = {
            "name": name.replace("-", " ").capitalize(),
            "adapter": "openai",
            "urls": {"base": url.rstrip("/")},
            "api_key": key.strip(),
        }
    return providers


def _check_url(name: str, url: str, *, allow_loopback: bool, is_private: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(name, "the URL is broken: its host or port cannot be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _wrong(name, "the URL begins with https:// (or http:// on this machine) and ends like /v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise _wrong(name, "a URL has no user, question mark or hash; the key goes into its own variable")
    if _is_loopback(host):
        if not (allow_loopback or is_private):
            raise _wrong(name, "it is on this machine; ALLOW_LOOPBACK_PROVIDERS=1 lets providers be there")
    elif parts.scheme != "https" and not is_private:
        raise _wrong(
            name,
            "only https:// goes to another machine: our key and every prompt would travel in clear. On a network of "
            "your own, name it in PRIVATE_NETWORK_PROVIDERS",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(where: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{VARIABLE}, {where}: {what}.")
