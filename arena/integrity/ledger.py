"""The public ledger: how many votes were cast, how many count, and why the others do not, by week and category.

Read from the votes themselves, nothing is added up beforehand: what the page says is what the table holds.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Sum
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_noop

from arena.models import Category, NetworkWatch, VoteFile, VoterDecision, VoterWatch

from . import evidence, rules, watch

WEEKS = 12
ALARM_WEEKS = 5  # this one, and the four that it is compared with
ALARM_FACTOR = 2  # a reason's share against the median of the four weeks before
ALARM_VOTES = 20  # fewer are no alarm
LATE = timedelta(minutes=10)  # votes that the watch has not looked at for so long

_CELLS = """
SELECT date_trunc('week', cast_at AT TIME ZONE 'UTC')::date, category_id, excluded_rule,
    count(*), count(*) FILTER (WHERE outcome = 'left'), count(*) FILTER (WHERE outcome = 'right')
FROM arena_vote WHERE cast_at >= %s
    AND category_id NOT IN (SELECT id FROM arena_category WHERE is_private) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_VOTERS = """SELECT excluded_rule, count(DISTINCT voter_id) FROM arena_vote WHERE cast_at >= %s
    AND category_id NOT IN (SELECT id FROM arena_category WHERE is_private) GROUP BY 1"""
_FAMILIAR = """
SELECT count(*), count(*) FILTER (WHERE b.familiar > 0)
FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id WHERE v.cast_at >= %s AND v.excluded_reason = ''
    AND v.category_id NOT IN (SELECT id FROM arena_category WHERE is_private)
"""


@dataclass(frozen=True)
class LedgerCell:
    """Votes of one week, category and rule; rule "": they count."""

    week: date  # its Monday
    category: int
    rule: str
    votes: int
    left: int
    right: int


@dataclass(frozen=True)
class Reason:
    """One rule over all weeks of the ledger."""

    rule: rules.VoteRule
    weeks: list[int]
    voters: int
    returned: int

    @property
    def total(self) -> int:
        return sum(self.weeks)


@dataclass(frozen=True)
class Ledger:
    weeks: list[date]
    cells: list[LedgerCell]
    reasons: list[Reason]
    familiar: int  # counted votes with an image that the voter had met before
    returned: int
    imports: list[VoteFile]
    watched_at: datetime | None
    down_since: datetime | None  # the check of voters: None while it runs
    alarms: list[str]  # the one about the check of voters first

    @property
    def cast(self) -> int:
        return sum(cell.votes for cell in self.cells)

    @property
    def counted(self) -> int:
        return sum(cell.votes for cell in self.cells if not cell.rule)

    @property
    def left_out(self) -> int:
        return self.cast - self.counted

    @property
    def excluded_share(self) -> float:
        """0 to 1, of the votes cast; 0 before there are any."""
        return self.left_out / self.cast if self.cast else 0.0

    @property
    def familiar_share(self) -> float:
        """0 to 1, of the votes that count; 0 before there are any."""
        return self.familiar / self.counted if self.counted else 0.0

    @property
    def left(self) -> Proportion | None:
        """How often left won among decided votes that count; None before there are any."""
        left = sum(cell.left for cell in self.cells if not cell.rule)
        decided = left + sum(cell.right for cell in self.cells if not cell.rule)
        return Proportion.of(left, decided) if decided else None

    def of_week(self, week: date, category: int | None = None) -> tuple[int, int]:
        """Votes cast and counted."""
        cells = [cell for cell in self.cells if cell.week == week and category in (None, cell.category)]
        return sum(cell.votes for cell in cells), sum(cell.votes for cell in cells if not cell.rule)


@dataclass(frozen=True)
class Proportion:
    """A share with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, part: int, whole: int) -> Proportion:
        """`whole` is above 0. Wilson, JASA 22 (1927): it stays within 0 and 1 at any part."""
        z, p = 1.96, part / whole
        middle, spread = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
        return cls(p, (middle - spread) / (1 + z * z / whole), (middle + spread) / (1 + z * z / whole))

    @property
    def is_even(self) -> bool:
        return self.low <= 0.5 <= self.high


def current(weeks: int = WEEKS) -> Ledger:
    """The ledger of the last weeks, the present one included."""
    now = timezone.now()
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    listed = [monday - timedelta(weeks=back) for back in reversed(range(weeks))]
    since = datetime(listed[0].year, listed[0].month, listed[0].day, tzinfo=UTC)
    cells = [LedgerCell(*row) for row in _rows(_CELLS, since)]
    voters = dict(_rows(_VOTERS, since))
    (_, familiar), *_ = _rows(_FAMILIAR, since)
    returned = Counter(dict(
        VoterDecision.objects.filter(action=VoterDecision.Action.RETURN, created_at__gte=since)
        .values_list("rule").annotate(n=Sum("votes")).order_by()
    ))  # fmt: skip
    by_rule = Counter[tuple[str, date]]()
    for cell in cells:
        by_rule[cell.rule, cell.week] += cell.votes
    present = {cell.rule for cell in cells if cell.rule} | set(returned)
    known = [*rules.ALL.values(), *(_unknown(name) for name in sorted(present - set(rules.ALL)))]
    reasons = [
        Reason(rule, [by_rule[rule.name, week] for week in listed], voters.get(rule.name, 0), returned[rule.name])
        for rule in known if rule.name in present
    ]  # fmt: skip
    down_since = _down_since(now)
    watched_at = VoterWatch.objects.aggregate(at=Max("watched_at"))["at"]
    cast = {week: sum(cell.votes for cell in cells if cell.week == week) for week in listed}
    files = VoteFile.objects.filter(category__is_private=False).select_related("category")
    return Ledger(
        listed, cells, reasons, familiar, sum(returned.values()),
        list(files.order_by("-imported_at")[:50]), watched_at, down_since,
        [*_late(down_since), *_doubled(reasons, [cast[week] for week in listed]), *_newcomers(now)],
    )  # fmt: skip


def alarms() -> list[str]:
    """What a curator should look at, as sentences."""
    return current(ALARM_WEEKS).alarms


def _down_since(now: datetime) -> datetime | None:
    oldest = watch.oldest_unseen()
    return None if oldest is None or now - oldest < LATE else oldest


def _late(down_since: datetime | None) -> list[str]:
    if down_since is None:
        return []
    text = gettext("The check of voters has been down since %(time)s UTC. The votes wait for it; none is lost.")
    return [text % {"time": f"{down_since:%H:%M}"}]


def _doubled(reasons: list[Reason], cast: list[int]) -> list[str]:
    doubled = []
    for reason in reasons:
        if len(cast) < 5 or not cast[-1] or reason.weeks[-1] < ALARM_VOTES:
            continue
        before = [n / all_votes for n, all_votes in zip(reason.weeks[-5:-1], cast[-5:-1], strict=True) if all_votes]
        share = reason.weeks[-1] / cast[-1]
        if before and share > ALARM_FACTOR * statistics.median(before):
            text = gettext(
                "“%(rule)s” left out %(votes)s votes this week, %(share)s%%: more than twice the median of the four "
                "weeks before."
            )
            doubled.append(
                text
                % {
                    "rule": gettext(reason.rule.title),
                    "votes": reason.weeks[-1],
                    "share": number_format(100 * share, 1),
                }
            )
    return doubled


def _newcomers(now: datetime) -> list[str]:
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(7)]
    public = NetworkWatch.objects.filter(category__is_private=False)
    watches = public.filter(network__in=days, peak__gte=evidence.QUARANTINE).select_related("category")
    text = gettext(
        "%(category)s: the %(voters)s newcomers of %(day)s vote alike, whatever their networks. Their votes count; a "
        "curator should look."
    )
    return [
        text % {"category": state.category, "voters": state.voters, "day": state.network}
        for state in watches.order_by("network")
    ]


def by_category(ledger: Ledger) -> list[tuple[Category, int, int]]:
    """Categories with votes: cast, counted."""
    cast, counted = Counter[int](), Counter[int]()
    for cell in ledger.cells:
        cast[cell.category] += cell.votes
        counted[cell.category] += 0 if cell.rule else cell.votes
    return [(category, cast[category.pk], counted[category.pk]) for category in Category.objects.filter(pk__in=cast)]


def imported() -> int:
    """Votes from elsewhere that count."""
    total: int | None = VoteFile.objects.filter(withdrawn_at=None).aggregate(n=Sum("rows"))["n"]
    return total or 0


def open_cases() -> dict[str, int]:
    """Voters that a curator has to look at, by whether a rule has excluded them already."""
    waiting = watch.open_reviews()
    excluded = waiting.filter(peak__gte=evidence.QUARANTINE).aggregate(n=Count("pk"))["n"]
    return {"excluded": excluded, "suspicious": waiting.count() - excluded}


def _unknown(name: str) -> rules.VoteRule:
    return rules.VoteRule(name, name, gettext_noop("a rule of an earlier release"), "", "")


def _rows(statement: str, since: datetime) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [since])
        return list(cursor.fetchall())
