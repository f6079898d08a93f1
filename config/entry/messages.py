"""Types of ASGI, and small responses that the entry gives by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Any

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class ClientDisconnected(Exception):
    """The client closed the connection before its request was complete."""


@dataclass
class Rejected(Exception):
    """The request gets this response and nothing else; what is left of its body is not read."""

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    code: str = "invalid_request"

    def __str__(self) -> str:
        return f"{self.status} {self.message}"


# As providers/gateway/urls.py reads it: also with slashes too many, and by clients that were given the host alone.
_API = re.compile(r"/*(?:openai|v1)(?:/|$)")


def is_api(path: str) -> bool:
    """Whether the decoded path belongs to the API."""
    return _API.match(path) is not None


_CHARSET = re.compile(rb";\s*charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)


def is_utf8(headers: Headers) -> bool:
    """Whether the body is in UTF-8, or says nothing: Django decodes with any codec that a client names, rot13 too."""
    types = b";".join(value for name, value in headers if name == b"content-type")
    return all(match[1].lower() in (b"utf-8", b"utf8", b"us-ascii", b"") for match in _CHARSET.finditer(types))


def is_encoded(headers: Headers) -> bool:
    """Whether the body is compressed, which nothing here undoes: a small body could become a huge one."""
    return any(
        value.strip().lower() not in (b"", b"identity") for name, value in headers if name == b"content-encoding"
    )


async def send_response(send: Send, status: int, headers: Headers, body: bytes, *, is_head: bool = False) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})


async def send_text(send: Send, scope: Scope, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send_response(send, 200, headers, text.encode(), is_head=scope["method"] == "HEAD")


async def send_rejection(send: Send, scope: Scope, rejected: Rejected, *, close: bool) -> None:
    """As a page, or in OpenAI's envelope for the API. `close`: the rest of the body is still coming."""
    if is_api(scope["path"]):
        kind = "server_error" if rejected.status >= 500 else "invalid_request_error"
        error = {"message": rejected.message, "type": kind, "param": None, "code": rejected.code}
        content_type, body = b"application/json", json.dumps({"error": error}).encode()
    else:
        content_type, body = b"text/html; charset=utf-8", page(rejected.status, rejected.message)
    headers: Headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    headers += [(name.lower().encode(), value.encode()) for name, value in rejected.headers.items()]
    if close:
        headers.append((b"connection", b"close"))
    await send_response(send, rejected.status, headers, body, is_head=scope["method"] == "HEAD")


def page(status: int, message: str) -> bytes:
    """A page without a database, templates or static files, for when none of them may answer."""
    title = HTTPStatus(status).phrase
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{status} {title}</title><h1>{title}</h1><p>{escape(message)}</p>"
    ).encode()
