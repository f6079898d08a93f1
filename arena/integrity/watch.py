"""Looking at voters after they voted: evidence from their votes, and exclusion where it is beyond doubt.

A state is computed whole from the votes that it is about – at most `WINDOW` – and from strengths that never
change. So nothing is counted twice, a worker that dies loses nothing, and `differences` can compute all of it again.
Nothing here runs in a vote's request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Exists, Max, Min, OuterRef, Q
from django.utils import timezone

from arena.models import Battle, NetworkWatch, Report, Strengths, Vote, Voter, VoterProgress, VoterWatch
from arena.models.integrity import FOLDS

from . import caps, consequences, evidence, rules, strengths

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)  # looked at again: votes that were committed late
FIRST_TIMERS = 10  # votes below which a voter of an excluded network goes with it
POOL = 500  # first votes of one network that are looked at
NETWORK_DAYS = 35  # as long as hashes of networks live
EXCLUDED_HOURS = 24  # in which new voters of an excluded network do not count
WINDOW = 200  # votes of a voter in 90 days that are looked at
LIMIT = 2_000  # voters of one run
_SCORE = {"left": 1, "right": -1, "tie": 0, "both_bad": 0}


@dataclass(frozen=True)
class Finding:
    """What a voter's votes in a category say by now."""

    votes: int
    decided: int
    last_vote_at: datetime
    families: list[float]
    skips: float
    log_e: float
    peak: float
    review_peak: float
    rule: rules.VoteRule | None  # by which they are excluded, if they are

    @property
    def fields(self) -> dict[str, Any]:
        names = ("votes", "decided", "last_vote_at", "families", "skips", "log_e", "peak", "review_peak")
        return {name: getattr(self, name) for name in names}


def run() -> int:
    """Look at everybody who voted since the last run; returns how many voters of categories there were."""
    newest = VoterWatch.objects.aggregate(at=Max("last_vote_at"))["at"]
    recent = Vote.objects.all() if newest is None else Vote.objects.filter(cast_at__gt=newest - OVERLAP)
    latest = recent.values_list("voter", "category").annotate(at=Max("cast_at")).order_by("at")
    known = dict[tuple[int, int], datetime]()
    if newest is not None:
        states = VoterWatch.objects.filter(last_vote_at__gt=newest - OVERLAP)
        known = {
            (voter, category): at for voter, category, at in states.values_list("voter", "category", "last_vote_at")
        }
    due = [(voter, category) for voter, category, at in latest if known.get((voter, category)) != at][:LIMIT]
    for voter, category in due:
        look_at_voter(voter, category)
    for network, category in _networks(due):
        look_at_network(network, category)
    return len(due)


def look_at_voter(voter: int, category: int) -> VoterWatch:
    """Compute the voter's state, store it, and exclude the voter where it says so."""
    known = VoterWatch.objects.filter(voter=voter, category=category).first()
    judge = strengths.current(category)
    finding = find(voter, category, judge, known.since if known else None)
    state, _ = VoterWatch.objects.update_or_create(
        voter_id=voter, category_id=category,
        defaults={**finding.fields, "strengths": judge, "watched_at": timezone.now()},
    )  # fmt: skip
    is_out = VoterProgress.objects.filter(voter=voter, category=category).exclude(excluded_rule="").exists()
    if is_out:
        if Vote.objects.counted().filter(voter=voter, category=category).exists():  # was in flight when they went out
            consequences.exclude_voter(voter, category, rules.CURATOR.name, "excluded before")
    elif finding.rule is not None:
        moved = consequences.exclude_voter(voter, category, finding.rule.name, finding.rule.reason, log_e=finding.peak)
        log.warning("Voter %d in category %d: excluded by %s, %d votes.", voter, category, finding.rule.name, moved)
    return state


def find(
    voter: int, category: int, judge: Strengths, since: datetime | None = None, until: datetime | None = None
) -> Finding:
    """The evidence of the votes cast after `since` and up to `until`, judged by the other folds' votes."""
    last, answers = _answers_of(voter, category, judge, since, until)
    seen = evidence.weigh(answers, strengths.of_fold(judge, voter % FOLDS))
    skips = _skips(voter, category, judge, since, last)
    families = seen.last
    rule = None
    if skips >= evidence.QUARANTINE:
        rule = rules.SKIPS
    elif seen.peak >= evidence.QUARANTINE:
        at = int(np.argmax(seen.path >= evidence.QUARANTINE))
        weighted = np.log(evidence.WEIGHTS) + seen.families[:, at]
        weighted[evidence.REVIEW_ONLY] = -np.inf
        rule = rules.OF_FAMILY[evidence.FAMILIES[int(np.argmax(weighted))]]
    return Finding(
        votes=answers.answer.size,
        decided=int((answers.answer != 0).sum()),
        last_vote_at=last,
        families=families.tolist(),
        skips=skips,
        log_e=float(seen.all[-1]) if seen.all.size else 0.0,
        peak=max(seen.peak, skips, 0.0),
        review_peak=max(seen.review_peak, skips, 0.0),
        rule=rule,
    )


def evidence_of(voter: int, category: int, judge: Strengths, since: datetime | None) -> evidence.Evidence:
    """The evidence after each of the voter's votes, for a curator to see."""
    _, answers = _answers_of(voter, category, judge, since, None)
    return evidence.weigh(answers, strengths.of_fold(judge, voter % FOLDS))


def _answers_of(
    voter: int, category: int, judge: Strengths, since: datetime | None, until: datetime | None
) -> tuple[datetime, evidence.Answers]:
    """When the voter voted last, and the votes of the 90 days before that could count."""
    votes = Vote.objects.filter(voter=voter, category=category)
    if until is not None:
        votes = votes.filter(cast_at__lte=until)
    last: datetime = votes.aggregate(at=Max("cast_at"))["at"]
    if since is not None:
        votes = votes.filter(cast_at__gt=since)
    window = votes.filter(cast_at__gt=last - timedelta(days=caps.DAYS))
    window = window.exclude(excluded_rule__in=rules.AT_THE_VOTE).order_by("cast_at", "pk")
    rows = list(window.values_list("left_model", "right_model", "outcome")[:WINDOW])
    return last, _answers(judge, rows)


def _answers(judge: Strengths, rows: list[tuple[int, int, str]]) -> evidence.Answers:
    """Votes between models that the strengths know."""
    left = strengths.indices(judge, [row[0] for row in rows])
    right = strengths.indices(judge, [row[1] for row in rows])
    answer = np.array([_SCORE[row[2]] for row in rows], np.int64)
    known = (left >= 0) & (right >= 0) & (left != right)
    return evidence.Answers(left[known], right[known], answer[known])


def _skips(voter: int, category: int, judge: Strengths, since: datetime | None, until: datetime) -> float:
    """Of pairs put aside, those with a report too: to report whatever is without one model is to skip it. Only where a
    curator found the report right by then it is none."""
    accepted = Report.objects.filter(
        battle=OuterRef("pk"), resolution=Report.Resolution.ACCEPTED, resolved_at__lte=until
    )
    battles = Battle.objects.filter(voter=voter, prompt__competition__category=category)
    battles = battles.filter(Q(vote__cast_at__lte=until) | Q(skipped_at__lte=until)).exclude(Exists(accepted))
    battles = battles.filter(Q(vote__cast_at__gt=until - timedelta(days=caps.DAYS)) | Q(skipped_at__isnull=False))
    if since is not None:
        battles = battles.filter(Q(vote__cast_at__gt=since) | Q(skipped_at__gt=since))
    rows = list(battles.values_list("left__image_model", "right__image_model", "skipped_at"))
    counts = np.zeros((2, len(judge.image_models)), np.int64)
    totals = [0, 0]
    for left, right, skipped_at in rows:
        kind = int(skipped_at is not None)
        totals[kind] += 1
        for index in strengths.indices(judge, [left, right]):
            if index >= 0:
                counts[kind, index] += 1
    return max(0.0, evidence.skipping(counts[0], counts[1], *totals))


def _networks(due: list[tuple[int, int]]) -> list[tuple[str, int]]:
    """The networks that new voters among these came from, and the day as one more: a botnet of many networks shows in
    all newcomers of a day together."""
    now = timezone.now()
    voters = Voter.objects.filter(pk__in={voter for voter, _ in due}, created_at__gt=now - timedelta(days=NETWORK_DAYS))
    hashes = {pk: (network, prefix, f"{at:%Y-%m-%d}") for pk, network, prefix, at in voters.values_list(
        "pk", "network", "prefix", "created_at")}  # fmt: skip
    return sorted({(name, category) for voter, category in due for name in hashes.get(voter, ()) if name})


def look_at_network(network: str, category: int) -> NetworkWatch | None:
    """Pool the first votes of a network's new voters, and exclude those voters where they say so.

    `network` is a hash, or a day ("2026-11-30") for all newcomers of that day, for whom there is a warning only: among
    them are honest people of every network.
    """
    known = NetworkWatch.objects.filter(network=network, category=category).first()
    since = known.since if known else None
    if known and known.excluded_at and known.excluded_at < timezone.now() - timedelta(hours=EXCLUDED_HOURS):
        since = known.excluded_at + timedelta(hours=EXCLUDED_HOURS)
        NetworkWatch.objects.filter(pk=known.pk).update(excluded_at=None, since=since)
        known.excluded_at = None
    firsts = _first_votes(network, category, since)
    if not firsts:
        return known
    judge = strengths.before(category, firsts[0].cast_at)
    answers = _answers(judge, [(vote.left_model_id, vote.right_model_id, vote.outcome) for vote in firsts])
    seen = evidence.weigh(answers, strengths.of_all(judge))
    models = np.arange(len(judge.image_models))[:, None]
    contains = (models == answers.left) | (models == answers.right)
    chosen = evidence.selection(contains, np.array(judge.shares)) if any(judge.shares) else np.zeros(0)
    both = np.logaddexp(seen.path, chosen) - np.log(2) if chosen.size else seen.path
    state, _ = NetworkWatch.objects.update_or_create(
        network=network, category_id=category,
        defaults={
            "strengths": judge, "voters": len(firsts), "peak": float(max(both.max(initial=0.0), 0.0)),
            "votes": float(seen.path[-1]) if seen.path.size else 0.0,
            "ballots": float(chosen[-1]) if chosen.size else 0.0, "since": since, "watched_at": timezone.now(),
        },
    )  # fmt: skip
    if state.peak >= evidence.QUARANTINE:
        if _is_day(network):
            if known is None or known.peak < evidence.QUARANTINE:
                log.warning("Newcomers of %s in category %d vote alike, whatever their networks.", network, category)
        else:
            consequences.exclude_network(state, _first_timers(network, category, since))
    return state


def _first_votes(network: str, category: int, since: datetime | None) -> list[Vote]:
    votes = Vote.objects.filter(category=category, voter__in=_voters(network, since))
    votes = votes.exclude(excluded_rule__in=rules.AT_THE_VOTE)
    firsts = votes.order_by("voter", "cast_at", "pk").distinct("voter")
    return sorted(firsts, key=lambda vote: (vote.cast_at, vote.pk))[-POOL:]


def _first_timers(network: str, category: int, since: datetime | None) -> list[int]:
    """Voters of the network with few votes, who are not excluded."""
    progress = VoterProgress.objects.filter(category=category, voter__in=_voters(network, since), excluded_rule="")
    return list(progress.filter(votes__gt=0, votes__lt=FIRST_TIMERS).values_list("voter", flat=True))


def _voters(network: str, since: datetime | None) -> Any:
    if _is_day(network):
        voters = Voter.objects.filter(created_at__date=network)
    else:
        voters = Voter.objects.filter(Q(network=network) | Q(prefix=network))
    return voters if since is None else voters.filter(created_at__gt=since)


def _is_day(network: str) -> bool:
    return len(network) == 10


def differences() -> Iterator[tuple[VoterWatch, Finding]]:
    """Compute every voter's state again; the states that come out different."""
    for state in VoterWatch.objects.select_related("strengths").iterator(200):
        if not Vote.objects.filter(voter=state.voter_id, category=state.category_id).exists():
            continue
        finding = find(state.voter_id, state.category_id, state.strengths, state.since, state.last_vote_at)
        was = (state.log_e, state.peak, state.review_peak, *state.families)
        now = (finding.log_e, finding.peak, finding.review_peak, *finding.families)
        counts = (state.votes, state.decided) == (finding.votes, finding.decided)
        if not counts or not np.allclose(was, now, rtol=0, atol=1e-6):
            yield state, finding


def open_reviews() -> Any:
    """Watches that a curator should look at: suspicious, or excluded by the rule alone."""
    return VoterWatch.objects.filter(review_peak__gte=evidence.REVIEW).order_by("-review_peak")


def oldest_unseen() -> datetime | None:
    """When the oldest vote was cast that no watch has looked at yet; None: there is none."""
    newest = VoterWatch.objects.aggregate(at=Max("last_vote_at"))["at"]
    votes = Vote.objects.all() if newest is None else Vote.objects.filter(cast_at__gt=newest)
    oldest: datetime | None = votes.aggregate(at=Min("cast_at"))["at"]
    return oldest
