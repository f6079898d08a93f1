"""The jobs of a simulator in a file, so that it knows them after it was killed, as a real provider does.

A line for each job that was accepted or cancelled: the ledger of what was bought, too (benchmarks/chaos).
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .orders import Order

MAX_BYTES = 16 * 2**20  # sources of edits are in it; beyond that, earlier jobs are forgotten
LIFETIME = timedelta(hours=1)  # after which a job is not known any more


@dataclass(frozen=True, slots=True)
class LoggedJob:
    order: Order
    seed: int
    created_at: datetime
    is_cancelled: bool = False


class JobLog:
    """Without a path nothing is written, and nothing is known after a restart."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        if path and path.exists() and not path.read_bytes().endswith(b"\n"):  # a kill has cut its last line short
            with path.open("ab") as file:
                file.write(b"\n")

    def accepted(self, job_id: str, order: Order, seed: int, at: datetime) -> None:
        fields = asdict(order.remembered()) | {"source": base64.b64encode(order.source).decode()}
        self._write({"id": job_id, "seed": seed, "at": at.isoformat(), "order": fields})

    def cancelled(self, job_id: str) -> None:
        self._write({"id": job_id, "cancelled": True})

    def jobs(self) -> dict[str, LoggedJob]:
        """The jobs of the last hour by id, the earliest first. A line that a kill has cut short is left out."""
        jobs: dict[str, LoggedJob] = {}
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path and self._path.exists() else []
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record.get("cancelled"):
                if record["id"] in jobs:
                    jobs[record["id"]] = replace(jobs[record["id"]], is_cancelled=True)
            elif (at := datetime.fromisoformat(record["at"])) > datetime.now(UTC) - LIFETIME:
                jobs[record["id"]] = LoggedJob(_order(record["order"]), record["seed"], at)
        return jobs

    def _write(self, record: dict[str, Any]) -> None:
        if self._path is None:
            return
        line = json.dumps(record, default=str).encode() + b"\n"
        with self._lock, contextlib.suppress(OSError):  # a full disk costs no more than the job's memory
            is_full = self._path.exists() and self._path.stat().st_size > MAX_BYTES
            with self._path.open("wb" if is_full else "ab") as file:
                file.write(line)


def _order(fields: dict[str, Any]) -> Order:
    width, height = fields["size"]
    return Order(**fields | {"size": (width, height), "source": base64.b64decode(fields["source"])})
