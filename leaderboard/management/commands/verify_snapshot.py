from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leaderboard.board import snapshots
from leaderboard.models import Snapshot
from leaderboard.rating import reproduction


class Command(BaseCommand):
    help = "Compute a snapshot again from its cells, in a process of its own, and compare its hash and every digit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", nargs="?", type=int, help="the number in its address, /snapshots/<id>/")
        parser.add_argument("--csv", type=Path, help="cells from this file; without an id, it finds its own snapshot")

    def handle(self, *args: Any, **options: Any) -> None:
        text = _read(options["csv"]) if options["csv"] else None
        snapshot = _find(options["id"], text)
        verdict = snapshots.verify(snapshot, text)
        if verdict.differences:
            raise CommandError(f"Snapshot {snapshot.pk} differs.\n" + "\n".join(verdict.differences))
        self.stdout.write(
            f"Snapshot {snapshot.pk} ({snapshot.category}, {snapshot.taken_at:%Y-%m-%d %H:%M} UTC) holds:"
            f" {len(snapshot.ratings)} ratings agree to six decimals.\nsha256 {verdict.sha256}"
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error


def _find(pk: int | None, text: str | None) -> Snapshot:
    if pk is not None:
        snapshot = Snapshot.objects.filter(pk=pk).first()
        if snapshot is None:
            raise CommandError(f"There is no snapshot {pk}.")
        return snapshot
    if text is None:
        raise CommandError("Say which snapshot: its number, or --csv FILE with its cells.")
    try:
        digest = reproduction.digest(reproduction.cells_csv(reproduction.read_csv(text)))
    except ValueError as error:
        raise CommandError(f"This is no file of cells: {error}.") from error
    snapshot = Snapshot.objects.filter(sha256=digest).order_by("-taken_at").first()
    if snapshot is None:
        raise CommandError(f"No snapshot has these cells (sha256 {digest}).")
    return snapshot
