"""Takes every secret of an account out of a provider's text, before anything of that text is stored or shown.

Providers and proxies echo what they were sent: whole keys, keys with a masked middle, Authorization headers, URLs with
a password in them, the names of organisations and projects. What cannot be stored at all (control characters, half
surrogates) goes too. Replacing too much costs a reader a word; replacing too little costs the operator a key.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .base import NO_KEY, Account

REDACTED = "[redacted]"
MAX_TEXT = 8_000  # characters of an answer that are read for an error message
RUN = 8  # characters: a shorter run of a key inside other text is taken for a coincidence
END = 4  # characters of a key's end or beginning that give it away when they stand alone
PIECE = 5  # characters of a key's middle that do, when they stand alone and are no word of a language

_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_WORD = re.compile(r"[A-Za-z0-9_\-]{4,}")
_ESCAPE = re.compile(
    r"(?:\\u00|\\u\{0{0,6}|\\U0{6}|\\x|0x|%(?:25){0,3}|&#x0{0,6})(?P<hex>[2-7][0-9a-f])[;}]?"
    r"|&#0{0,6}(?P<decimal>\d{2,3});|\\(?P<octal>[01][0-7]{2})",
    re.IGNORECASE,
)
_BYTES = re.compile(r"\b\d{2,3}(?:, ?\d{2,3}){7,}\b")  # as JSON writes a buffer
_FULL_WIDTH = {0xFF00 + code: 0x20 + code for code in range(1, 0x5F)}
_BASES = {"hex": 16, "decimal": 10, "octal": 8}
_NO_LETTER = re.compile(r"[^A-Za-z0-9]")
_NOTHING = re.compile(r"(?!)")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>\\]+", re.IGNORECASE)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?")
_NO_HOST = re.compile(
    r"\b(?:[a-z0-9_-]{1,63}\.){1,8}(?:internal|local|lan|corp|svc|intranet|localhost|home\.arpa)\b(?::\d+)?",
    re.IGNORECASE,
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Authorization headers
        r"\b(?:bearer|basic)\s+[a-z0-9+/=_.:~-]{6,}",
        r"\b(?:token|key)\s+(?=[a-z_-]{0,40}\d)[a-z0-9+/=_.:~-]{8,}",
        # names that say what follows them
        r"\b(?:api[_ -]?key|x-key|x-goog-api-key|authorization|passw(?:or)?d|secret|access[_ -]?token)\b"
        r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?[^\s\"',;}]{4,}",
        r"\b(?:set-)?cookie[\"']?\s{0,3}[=:]\s{0,3}[\"']?[^\"'}]{4,}",
        r"\b(?:x-(?:amz|goog)-[a-z-]{3,30}|sig|signature|token|auth|credentials?|key)=[^\s&\"',;}]{4,}",
        # keys by their usual shapes; JSON Web Tokens
        r"\b(?:sk|pk|rk|r8|xai|gsk|hf|ghp|whsec)[_-][a-z0-9_-]{8,}",
        r"\bAIza[a-z0-9_-]{16,}",
        r"\beyJ[a-z0-9_-]{8,}\.[a-z0-9_.-]{8,}",
        # keys with a masked middle or end
        r"[a-z0-9_-]{0,80}(?:\*{2,}|•{2,}|…|\.{3,})[a-z0-9_-]{2,}",
        r"[a-z0-9_-]{2,80}(?:\*{2,}|•{2,})",
        # organisations, projects and people
        r"\b(?:org|proj)[-_][a-z0-9]{4,}\b",
        r"\b(?:organization|project|user|acct|account|team|workspace)[-_](?=[a-z]{0,40}\d)[a-z0-9]{6,}\b",
        r"\b(?:(?:api )?key|team|organi[sz]ation|project|account|workspace)(?:[ _-]?id)?[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
        r"(?=[a-z-]{0,40}\d)[a-z0-9-]{6,}",
        r"\b(?:projects?|project_number|consumer|organizations?|accounts?)[\s/:#'\"]{1,4}[a-z0-9-]{0,40}\d{6,}",
        r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
    )
)


def storable(text: Any, limit: int = MAX_TEXT) -> str:
    """`text` on one line without the characters that Postgres or a terminal chokes on, at most `limit` long."""
    return " ".join(_UNSTORABLE.sub(" ", str(text)[: limit * 2]).split())[:limit]


def redacted(text: Any, account: Account) -> str:
    """A provider's text without the secrets of `account`, on one line."""
    spellings = _spellings(account)
    clean = storable(text)
    unescaped = _unescaped(clean)
    if unescaped != clean and _without_parts(unescaped, spellings) != unescaped:
        clean = storable(unescaped)
    for secret in sorted(spellings, key=len, reverse=True):
        clean = re.sub(re.escape(secret), REDACTED, clean, flags=re.IGNORECASE)
    for pattern in _PATTERNS:
        clean = pattern.sub(REDACTED, clean)
    clean = _URL.sub(lambda match: _shown_url(match[0], account), clean)
    for host in {parts.netloc.rpartition("@")[2] for parts in map(urlsplit, account.urls.values())} - {""}:
        clean = clean.replace(host, REDACTED)
    clean = _NO_HOST.sub(REDACTED, clean)
    clean = _IP.sub(lambda match: match[0] if _is_public_ip(match[0]) else REDACTED, clean)
    clean = _without_parts(clean, spellings)
    return re.sub(rf"{re.escape(REDACTED)}(?:[^\sA-Za-z0-9]?{re.escape(REDACTED)})+", REDACTED, clean)


def _unescaped(text: str) -> str:
    """The text with its characters as themselves: of a key in JSON in JSON, in HTML, in a URL, as bytes."""
    text = _ESCAPE.sub(_character, text.translate(_FULL_WIDTH))
    return _BYTES.sub(lambda match: "".join(chr(int(number)) for number in re.findall(r"\d+", match[0])), text)


def _character(match: re.Match[str]) -> str:
    """Of an escape, which is one of `_BASES`."""
    return chr(int(match[match.lastgroup or ""], _BASES[match.lastgroup or ""]))


def holds_secret(text: str, account: Account) -> bool:
    """Is a secret of `account` in a text that is to be stored as it is? Its own URLs are none."""
    spellings = _spellings(account)
    unescaped = unquote(text)
    has_password = any("@" in urlsplit(url).netloc for url in (text, unescaped))
    return (
        has_password
        or _without_parts(unescaped, spellings) != unescaped
        or any(secret.lower() in unescaped.lower() for secret in spellings)
    )


def _spellings(account: Account) -> tuple[str, ...]:
    return _spellings_of((account.api_key, account.webhook_key, *account.urls.values()))


@lru_cache(64)
def _spellings_of(values: tuple[str, ...]) -> tuple[str, ...]:
    """Every way in which the secrets among keys and URLs can be written in an answer."""
    secrets = [secret for value in values for secret in _secrets_of(value)]
    spellings = [spelling for secret in secrets for spelling in _encoded(secret) if len(spelling) >= END]
    return tuple(dict.fromkeys(spellings))


def _secrets_of(value: str) -> Iterator[str]:
    parts = urlsplit(value) if "://" in value else None
    if parts is not None:  # a URL is no secret, but what stands before its @ is, and tokens of path and query
        userinfo = parts.netloc.rpartition("@")[0]
        yield userinfo
        yield unquote(userinfo.partition(":")[2])
        yield from (value for _, value in parse_qsl(parts.query) if len(value) >= RUN)
        yield from (part for part in parts.path.split("/") if len(part) >= RUN and re.search(r"\d", part))
        return
    value = value.strip()
    if value.lower() == NO_KEY:
        return
    yield value
    yield from (part for part in value.split(":") if len(part) >= RUN)  # fal's keys are "id:secret"


def _encoded(secret: str) -> Iterator[str]:
    """Spellings whose letters and digits are others; escapes and signs of any alphabet are seen through later."""
    yield secret
    yield secret.encode().hex()
    for before in range(3):  # base64 of a text that has the secret in it, as in basic authentication
        padded = b"\0" * before + secret.encode()
        inner = base64.b64encode(padded).decode().rstrip("=")[(0, 2, 3)[before] :]
        yield inner if len(padded) % 3 == 0 else inner[:-1]  # its last digit depends on what follows


def _without_parts(text: str, spellings: tuple[str, ...]) -> str:
    for secret in spellings:
        if len(secret) >= RUN:
            text = _without_pieces(_without_runs(_without_runs(text, secret, _NOTHING), secret, _NO_LETTER), secret)
    return text


def _without_runs(text: str, secret: str, ignored: re.Pattern[str]) -> str:
    """Replaces every stretch of RUN or more characters that text and secret share.

    As if both had no `ignored` characters: all but letters, for keys that something has split, wrapped or spaced.
    """
    letters, secret = ignored.sub("", text), ignored.sub("", secret).lower()
    if len(letters) == len(letters.lower()):  # a letter that is longer in lower case would shift all places
        letters = letters.lower()
    if not any(secret[start : start + RUN] in letters for start in range(len(secret) - RUN + 1)):
        return text
    places = [place for place, letter in enumerate(text) if not ignored.match(letter)]
    parts: list[str] = []
    copied = start = 0
    while start + RUN <= len(letters):
        if letters[start : start + RUN] not in secret:
            start += 1
            continue
        end = start + RUN
        while end < len(letters) and letters[start : end + 1] in secret:
            end += 1
        parts += [text[copied : places[start]], REDACTED]
        copied, start = places[end - 1] + 1, end
    return "".join(parts) + text[copied:]


def _without_pieces(text: str, secret: str) -> str:
    """Replaces words that are the end of the secret, its beginning as far as that is more than "sk-", or a piece."""

    def is_part(word: str) -> bool:
        is_piece = len(word) >= PIECE and not word.isalpha() and not word.isdecimal() and word in secret
        return is_piece or secret.endswith(word) or secret.startswith(word)

    return _WORD.sub(lambda match: REDACTED if is_part(match[0]) else match[0], text)


def _shown_url(url: str, account: Account) -> str:
    """A URL in a text: its public host and path; neither a password, nor a signature, nor a host of the operator."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        own = {urlsplit(known).hostname for known in account.urls.values()}
    except ValueError:
        return REDACTED
    if not host or host in own or "." not in host or not _is_public_ip(host):
        return REDACTED
    return f"{parts.scheme}://{host}{parts.path[:120]}" + ("?…" if parts.query else "")


def _is_public_ip(host: str) -> bool:
    """False only for an IP address of no public network; names are public."""
    try:
        return ipaddress.ip_address(host.partition(":")[0]).is_global
    except ValueError:
        return not host.endswith((".internal", ".local", ".lan", ".localhost", ".home.arpa"))
