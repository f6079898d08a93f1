"""What a line of the log says besides its message, and how often it says it.

Each record carries the id of its request (X-Request-ID, as the proxy in front sent it, else a random one) or the id and
name of its Celery task. A failure that repeats – a database that is away for an hour – is written with its traceback
once in `WINDOW`, and otherwise as a line. `LOG_FORMAT=json` writes one JSON object a line.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TextIO

WINDOW = 60.0  # seconds in which a failure's traceback is written once
MAX_FAILURES = 500  # different ones that are remembered
MAX_MESSAGE = 2_000  # characters: a URL in it may have 60,000, and its sender decides how often it is logged

request_id: ContextVar[str] = ContextVar("request_id", default="")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The request's id: what the proxy in front says, if it can be an id, else a random one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return secrets.token_hex(8)


class Context(logging.Filter):
    """Adds `request_id`, `task`, `task_id` and, for formats in text, `context` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        task, request = _task(), request_id.get()
        name, pk = (task.name, task.request.id or "") if task else ("", "")
        words = [f"request={request}"] if request else []
        words += [f"task={name}({pk})"] if task else []
        record.__dict__.update(request_id=request, task=name, task_id=pk, context=" ".join(["", *words]))
        return True


def _task() -> Any:
    """The Celery task that this thread runs, None outside one and where Celery is not loaded."""
    state = sys.modules.get("celery._state")
    return state.get_current_task() if state else None


class Repeated(logging.Filter):
    """Leaves the traceback out of a failure that was written with one less than `WINDOW` seconds ago."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._written_at: dict[tuple[str, str, str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[0] is None:
            return True
        kind, error, traceback = record.exc_info
        while traceback and traceback.tb_next:
            traceback = traceback.tb_next
        code = traceback.tb_frame.f_code if traceback else None
        line = traceback.tb_lineno if traceback else 0
        key = (record.name, kind.__qualname__, code.co_filename if code else "", line)
        now = monotonic()
        with self._lock:
            if now - self._written_at.get(key, float("-inf")) >= WINDOW:
                if len(self._written_at) >= MAX_FAILURES:
                    self._written_at.clear()
                self._written_at[key] = now
                return True
        reason = " ".join(str(error).split())[:300]
        record.msg, record.args = f"{record.getMessage()} (again: {kind.__name__}: {reason})", None
        record.exc_info = record.exc_text = None
        return True


class FromOutside(logging.Filter):
    """What a client can cause by a header is a warning in one line. Django makes an error with a traceback of a Host
    that is not ours, and those who scan the internet send thousands of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class Stderr(logging.StreamHandler[TextIO]):
    """Lines to stderr. Where they cannot be written – the log's disk is full – the process goes on, and `fault` says
    why until one can be written again: a worker reports it (providers/connections/heartbeats.py)."""

    fault = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.fault = ""
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self.fault = error.strerror or type(error).__name__
        else:
            super().handleError(record)


class Shortened(logging.Filter):
    """Cuts a message after `MAX_MESSAGE` characters."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if len(message) > MAX_MESSAGE:
            record.msg, record.args = f"{message[:MAX_MESSAGE]} … ({len(message)} characters)", None
        return True


class JsonLines(logging.Formatter):
    """One JSON object a record; fields without a value are left out."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", ""),
            "task": getattr(record, "task", ""),
            "task_id": getattr(record, "task_id", ""),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)
