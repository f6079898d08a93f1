"""What happens to a voter who was caught, or accused wrongly: one transaction per voter and category, both ways.

All votes of the voter in the category stop counting, with the rule and its sentence, and so do later ones: the vote's
own statement reads the voter's standing. Coming back counts exactly those votes again that this took out, as far as the
cap would have counted them. Every decision is a row that nobody changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.models import Battle, NetworkWatch, Report, Vote, Voter, VoterDecision, VoterProgress, VoterWatch

from . import caps, exclusion, rules


def exclude_voter(
    voter: int, category: int, rule: str, reason: str, *, by: str = "", log_e: float | None = None
) -> int:
    """Stop counting the voter's votes in the category, those to come too; returns how many counted until now.

    `by` is the curator, "" for a rule by itself. Who is excluded already keeps the first reason, and no decision is
    written; votes that were in flight meanwhile are taken out.
    """
    with transaction.atomic():
        exclusion.take_turn()
        known = VoterProgress.objects.filter(voter=voter, category=category).exclude(excluded_rule="").first()
        if known is not None:
            rule, reason = known.excluded_rule, known.excluded_reason
        ids = Vote.objects.counted().filter(voter=voter, category=category).values_list("pk", flat=True)
        moved = exclusion.exclude(list(ids), reason, rule, standing=(voter, category))
        if known is None:
            VoterDecision.objects.create(
                voter_id=voter, category_id=category, action=VoterDecision.Action.EXCLUDE, rule=rule,
                reason=reason, by=by,
                votes=moved, log_e=log_e,
            )  # fmt: skip
        return moved


def return_voter(voter: int, category: int, reason: str, *, by: str) -> int:
    """Count the voter's votes again that their exclusion took out, within the cap; returns how many. What was looked at
    proves nothing any more: evidence starts again with later votes."""
    with transaction.atomic():
        exclusion.take_turn()
        standing = VoterProgress.objects.filter(voter=voter, category=category).exclude(excluded_rule="").first()
        if standing is None:
            return 0
        rule = standing.excluded_rule
        cap = caps.of(category)
        inside = _within_cap(voter, category, rule, cap)
        moved = exclusion.include(inside, rule, standing=(voter, category))
        Vote.objects.filter(voter=voter, category=category, excluded_rule=rule).update(
            excluded_reason=caps.reason(cap), excluded_rule=rules.CAP.name
        )
        _forget_evidence(voter, category)
        VoterDecision.objects.create(
            voter_id=voter, category_id=category, action=VoterDecision.Action.RETURN, rule=rule, reason=reason, by=by,
            votes=moved,
        )  # fmt: skip
        return moved


def dismiss(voter: int, category: int, reason: str, *, by: str) -> None:
    """A curator looked, and found nothing: evidence starts again with later votes."""
    with transaction.atomic():
        _forget_evidence(voter, category)
        VoterDecision.objects.create(
            voter_id=voter, category_id=category, action=VoterDecision.Action.DISMISS, rule=rules.CURATOR.name,
            reason=reason, by=by, votes=0,
        )  # fmt: skip


def exclude_network(watch: NetworkWatch, voters: Iterable[int]) -> int:
    """Stop counting the votes of new voters of a network; for a day those who come after them do not count either.
    Returns how many votes counted until now."""
    moved = sum(
        exclude_voter(voter, watch.category_id, rules.NETWORK.name, rules.NETWORK.reason, log_e=watch.peak)
        for voter in sorted(voters)
    )
    NetworkWatch.objects.filter(pk=watch.pk, excluded_at=None).update(excluded_at=timezone.now())
    return moved


def _within_cap(voter: int, category: int, rule: str, cap: int) -> set[UUID]:
    """The votes that `rule` took out and that the cap would have counted."""
    votes = Vote.objects.filter(voter=voter, category=category, excluded_rule__in=("", rule))
    rows = votes.order_by("cast_at", "pk").values_list("pk", "cast_at", "excluded_rule")
    return caps.within(((pk, at, bool(excluded)) for pk, at, excluded in rows), cap)


def _forget_evidence(voter: int, category: int) -> None:
    VoterWatch.objects.filter(voter=voter, category=category).update(
        since=timezone.now(), votes=0, decided=0, families=[0.0] * 6, skips=0.0, log_e=0.0, peak=0.0, review_peak=0.0
    )


def forget_voter(voter: int) -> int:
    """A voter deletes their votes: none counts any more, and nothing leads from the browser to them. They move to a new
    voter that no cookie names; returns how many counted until now."""
    with transaction.atomic():
        exclusion.take_turn()
        ids = list(Vote.objects.counted().filter(voter=voter).values_list("pk", flat=True))
        moved = exclusion.exclude(ids, rules.WITHDRAWN.reason, rules.WITHDRAWN.name)
        day = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        heir = Voter.objects.create(created_at=day)
        for model in (Battle, Vote, VoterProgress, Report, VoterDecision):
            model._default_manager.filter(voter=voter).update(voter=heir)
        Report.objects.filter(voter=heir).update(network="")
        Voter.objects.filter(pk=voter).delete()
        return moved
