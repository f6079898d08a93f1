"""Reports: a voter says that an image is broken, offensive or names its model; a curator accepts or dismisses it.

The report voids its battle, if it is still unanswered. After the vote names are known, so a report must not undo it:
the vote stands. Enough open reports by different voters hide the image until a curator has looked, because harm and
leaks cannot wait for working hours; one voter alone, or one browser reporting twice, hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from arena import battles, integrity, pairing
from arena.battles import skips

from .models import Battle, Entry, Report, Vote

RULE = "not-blind-1"
ACCEPTED_TEXT = gettext_noop("A curator looked and took the image away.")
DISMISSED_TEXT = gettext_noop("A curator looked and left the image.")
RULE_REASON = "an image of the pair named its model"


STANDING = 10  # votes that count make a voter's report a whole one …
NEWCOMER = 0.25  # … and without them it is this part of one


def report(battle: Battle, side: str, reason: str, network: str = "") -> Report:
    """Record the voter's report of one side; the second one on the same image changes nothing. `network`: the hash of
    where it comes from, "" where that is not known.

    Raises ValueError for a side or reason that does not exist, and for more reports than one voter, or one network, may
    make within an hour: each takes a pair away, so who reports without end chooses among pairs.
    """
    if side not in ("left", "right"):
        raise ValueError(gettext("Choose which image you mean: A or B."))
    if reason not in Report.Reason.values:
        raise ValueError(gettext("Choose what is wrong with the image."))
    by_network = Q(network=network) if network else Q(pk=None)
    recent = Report.objects.filter(created_at__gt=timezone.now() - timedelta(hours=1))
    if 0 < settings.NETWORK_REPORTS <= recent.filter(by_network | Q(voter=battle.voter_id)).count():
        raise ValueError(
            gettext("You or your network have sent many reports within an hour. Skip the pair, or come back later.")
        )
    with transaction.atomic():
        # The entry's row is locked: of two reports at once, the later one counts both.
        reported = battle.left_id if side == "left" else battle.right_id
        entry = Entry.everything.select_for_update(no_key=True).get(pk=reported)
        stored, _ = Report.objects.get_or_create(
            voter=battle.voter, entry=entry, defaults={"battle": battle, "reason": reason, "network": network}
        )
        with suppress(battles.AlreadyVoted):
            skips.skip(battle, by_choice=False)
        if entry.hidden_at is None and weight(entry) >= settings.REPORTS_TO_HIDE:
            entry.hidden_at = timezone.now()
            entry.save(update_fields=["hidden_at"])
            pairing.pools.clear()
        return stored


def weight(entry: Entry) -> float:
    """What the open reports on an image weigh: voters who have voted count whole, all those of one network as one;
    others a quarter, and all of them together no more than one. So voters who were invented hide nothing, whatever
    their networks."""
    counted = Vote.objects.counted().filter(voter=OuterRef("voter")).values("voter").annotate(n=Count("*")).values("n")
    rows = Report.objects.open().filter(entry=entry).annotate(votes=Subquery(counted))
    reporters = [
        (network or f"voter {voter}", (votes or 0) >= STANDING)
        for voter, network, votes in rows.values_list("voter", "network", "votes")
    ]
    known = {network for network, has_standing in reporters if has_standing}
    newcomers = sum(network not in known for network, _ in reporters)
    return len(known) + min(1.0, NEWCOMER * newcomers)


def accept(reports: Iterable[Report], reply: str = "") -> tuple[int, int]:
    """The reports are right: their images are retired. Votes on an image that named its model were not blind, so they
    no longer count. Returns how many images were retired, and how many votes excluded."""
    retired = excluded = 0
    for entry in _entries(reports):
        with transaction.atomic():
            open_reports = Report.objects.open().filter(entry=entry)
            reasons = sorted(set(open_reports.values_list("reason", flat=True)))
            retired += Entry.everything.filter(pk=entry, retired_at=None).update(
                retired_at=timezone.now(), retired_reason=f"reported: {', '.join(reasons).replace('_', ' ')}"
            )
            open_reports.update(resolved_at=timezone.now(), resolution=Report.Resolution.ACCEPTED, reply=reply)
            if Report.Reason.NAMES_MODEL in reasons:
                excluded += integrity.exclude(_votes_on(entry), RULE_REASON, RULE)
    return retired, excluded


def dismiss(reports: Iterable[Report], reply: str = "") -> int:
    """Nothing is wrong with the images: they are shown again. Returns how many there were; see `answer` on replies."""
    entries = _entries(reports)
    with transaction.atomic():
        Report.objects.open().filter(entry__in=entries).update(
            resolved_at=timezone.now(), resolution=Report.Resolution.DISMISSED, reply=reply
        )
        Entry.everything.filter(pk__in=entries).update(hidden_at=None)
    return len(entries)


def answer(battle: UUID) -> str:
    """What became of the report made in this battle, for its reporter; "" while it waits."""
    report = Report.objects.filter(battle=battle).exclude(resolved_at=None).first()
    if report is None:
        return ""
    taken = report.resolution == Report.Resolution.ACCEPTED
    return " ".join(filter(None, (gettext(ACCEPTED_TEXT if taken else DISMISSED_TEXT), report.reply)))


def _entries(reports: Iterable[Report]) -> list[int]:
    return sorted({report.entry_id for report in reports if report.resolved_at is None})


def _votes_on(entry: int) -> list[UUID]:
    votes = Vote.objects.filter(Q(battle__left=entry) | Q(battle__right=entry))
    return list(votes.values_list("pk", flat=True))
