"""Reports: a voter says that an image is broken, offensive or names its model; a curator accepts or dismisses it.

The report voids its battle, if it is still unanswered. After the vote names are known, so a report must not undo it:
the vote stands. Enough open reports by different voters hide the image until a curator has looked, because harm and
leaks cannot wait for working hours; one voter alone, or one browser reporting twice, hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from . import battles, integrity, pairing
from .models import Battle, Entry, Report, Vote

RULE = "not-blind-1"
RULE_REASON = "an image of the pair named its model"


def report(battle: Battle, side: str, reason: str) -> Report:
    """Record the voter's report of one side; the second one on the same image changes nothing.

    Raises ValueError for a side or reason that does not exist.
    """
    if side not in ("left", "right"):
        raise ValueError("Choose which image you mean: A or B.")
    if reason not in Report.Reason.values:
        raise ValueError("Choose what is wrong with the image.")
    with transaction.atomic():
        # The entry's row is locked: of two reports at once, the later one counts both.
        reported = battle.left_id if side == "left" else battle.right_id
        entry = Entry.objects.select_for_update(no_key=True).get(pk=reported)
        stored, _ = Report.objects.get_or_create(
            voter=battle.voter, entry=entry, defaults={"battle": battle, "reason": reason}
        )
        with suppress(battles.AlreadyVoted):
            battles.skip(battle)
        if entry.hidden_at is None and Report.objects.open().filter(entry=entry).count() >= settings.REPORTS_TO_HIDE:
            entry.hidden_at = timezone.now()
            entry.save(update_fields=["hidden_at"])
            pairing.pools.clear()
        return stored


def accept(reports: Iterable[Report]) -> tuple[int, int]:
    """The reports are right: their images are retired. Votes on an image that named its model were not blind, so they
    no longer count. Returns how many images were retired, and how many votes excluded."""
    retired = excluded = 0
    for entry in _entries(reports):
        with transaction.atomic():
            open_reports = Report.objects.open().filter(entry=entry)
            reasons = sorted(set(open_reports.values_list("reason", flat=True)))
            retired += Entry.objects.filter(pk=entry, retired_at=None).update(
                retired_at=timezone.now(), retired_reason=f"reported: {', '.join(reasons).replace('_', ' ')}"
            )
            open_reports.update(resolved_at=timezone.now(), resolution=Report.Resolution.ACCEPTED)
            if Report.Reason.NAMES_MODEL in reasons:
                excluded += integrity.exclude(_votes_on(entry), RULE_REASON, RULE)
    return retired, excluded


def dismiss(reports: Iterable[Report]) -> int:
    """Nothing is wrong with the images: they are shown again. Returns how many there were."""
    entries = _entries(reports)
    with transaction.atomic():
        Report.objects.open().filter(entry__in=entries).update(
            resolved_at=timezone.now(), resolution=Report.Resolution.DISMISSED
        )
        Entry.objects.filter(pk__in=entries).update(hidden_at=None)
    return len(entries)


def _entries(reports: Iterable[Report]) -> list[int]:
    return sorted({report.entry_id for report in reports if report.resolved_at is None})


def _votes_on(entry: int) -> list[UUID]:
    votes = Vote.objects.filter(Q(battle__left=entry) | Q(battle__right=entry))
    return list(votes.values_list("pk", flat=True))
