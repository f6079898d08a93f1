"""Requests and replies between the server and the wire formats – with replies that break off, because real ones do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str  # below the wire format's own prefix, without a leading slash
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    origin: str  # how the client reached us: scheme, host and port

    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None when it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query))

    def key(self, scheme: str) -> str:
        """The API key in the Authorization header; "" when there is none of this scheme."""
        given, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if given.lower() == scheme.lower() else ""

    def form(self) -> tuple[dict[str, list[str]], dict[str, list[tuple[bytes, str]]]]:
        """A multipart form: its text fields, and its files as (bytes, type). `name[]` and `name[0]` count as `name`."""
        texts: dict[str, list[str]] = {}
        files: dict[str, list[tuple[bytes, str]]] = {}
        _, _, boundary = self.headers.get("content-type", "").partition("boundary=")
        if not boundary:
            return texts, files
        for part in self.body.split(b"--" + boundary.strip('"').encode())[1:-1]:
            head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            headers = {}
            for line in head.decode("utf-8", "replace").split("\r\n"):
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            disposition = dict(parse_qsl(headers.get("content-disposition", "").replace("; ", "&")))
            field_name = disposition.get("name", "").strip('"').partition("[")[0]
            data = data.removesuffix(b"\r\n")
            if "filename" in disposition:
                files.setdefault(field_name, []).append((data, headers.get("content-type", "")))
            else:
                texts.setdefault(field_name, []).append(data.decode("utf-8", "replace"))
        return texts, files


@dataclass(frozen=True, slots=True)
class SimulatorReply:
    """An answer. A body that is an iterator is sent in chunks as it comes.

    `reset`: nothing is sent and the connection is reset. `cut_at`: the body ends after so many bytes.
    `stall`: seconds without a byte after `cut_at`, before the rest.
    """

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    cut_at: int | None = None
    stall: float = 0.0


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> SimulatorReply:
    return SimulatorReply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def html_reply(status: int) -> SimulatorReply:
    """What a gateway says when the provider behind it is in trouble."""
    page = f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
    return SimulatorReply(status, page.encode(), {"Content-Type": "text/html"})


def events_reply(events: Iterator[tuple[str, Any]]) -> SimulatorReply:
    """Server-sent events: (name or "", data as JSON)."""

    def lines() -> Iterator[bytes]:
        for name, data in events:
            yield (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(data)}\n\n".encode()

    return SimulatorReply(200, lines(), {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
