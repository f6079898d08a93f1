"""What is stored about one voter, for that voter: to be read, taken along, or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arena.integrity import consequences
from arena.models import Battle, Report, Vote


def count(voter: int) -> int:
    return Vote.objects.filter(voter=voter).count()


def exported(voter: int) -> dict[str, Any]:
    """Votes with the models that they unmasked, skips, and reports; pairs that wait for an answer stay blind."""
    skipped = Battle.objects.filter(voter=voter, skipped_at__isnull=False).order_by("skipped_at")
    reports = Report.objects.filter(voter=voter).order_by("created_at")
    return {
        "votes": list(_votes(voter)),
        "skips": [
            {"prompt": text, "at": at.isoformat()}
            for text, at in skipped.values_list("prompt__text", "skipped_at")
            if at is not None  # asked for above
        ],
        "reports": [
            {"reason": reason, "at": at.isoformat(), "decision": resolution or "open"}
            for reason, at, resolution in reports.values_list("reason", "created_at", "resolution")
        ],
    }


def _votes(voter: int) -> Iterator[dict[str, Any]]:
    rows = Vote.objects.filter(voter=voter).order_by("cast_at").select_related(
        "category", "left_model", "right_model", "battle__prompt"
    )  # fmt: skip
    for vote in rows.iterator(1000):
        yield {
            "category": vote.category.slug,
            "prompt": vote.battle.prompt.text,
            "left": vote.left_model.name,
            "right": vote.right_model.name,
            "outcome": vote.outcome,
            "at": vote.cast_at.isoformat(),
            "counts": not vote.excluded_reason,
            "reason": vote.excluded_reason,
        }


def delete(voter: int) -> int:
    """Delete a voter's votes: none counts any more, and no browser leads to them. Returns how many counted until now.

    The facts stay, without the voter, or boards could not be derived again; a later vote of that browser is a new
    voter's.
    """
    return consequences.forget_voter(voter)
