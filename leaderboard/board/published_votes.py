"""Every vote, published: one CSV per category and month, from which an outsider derives the board again.

A row is a vote: battle, voter, prompt, the two models, outcome, the probability with which the pair was drawn, the day,
and whether it counts or why not. A voter is a pseudonym that changes every month and differs between categories: nobody
can be followed for longer, and votes of one voter in one month are still known to be one's.

Files never change. When votes of a month come in, or are excluded, a new version of its file is written beside the old
one; every snapshot names the versions that it was made with by their sha256.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.core.files import File
from django.db.models import Max, Min
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.crypto import salted_hmac

from arena.models import Category, ImportedVote, Tally, Vote
from leaderboard.models import PublishedVotes
from leaderboard.rating import reproduction
from providers.models import ImageModel

COLUMNS = reproduction.VOTE_COLUMNS
LICENCE = "CC BY 4.0"
CHUNK = 5_000  # rows read at a time

Row = tuple[str, ...]


def months(category: Category) -> list[date]:
    """The first days of the months in which somebody voted, oldest first."""
    here = Vote.objects.filter(category=category).annotate(month=TruncMonth("cast_at", tzinfo=UTC))
    imported = ImportedVote.objects.filter(file__category=category).annotate(month=TruncMonth("day"))
    cast_months = {moment.date() for moment in here.order_by().values_list("month", flat=True).distinct()}
    return sorted(cast_months | set(imported.order_by().values_list("month", flat=True).distinct()))


def rows(category: Category, month: date) -> Iterator[Row]:
    """The votes of a month, counted or not, without the header; in the order of battles, then of imported lines."""
    names = {model.pk: model.csv_name for model in ImageModel.objects.all()}
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    votes = (
        Vote.objects.filter(category=category, cast_at__gte=start, cast_at__lt=_next(start))
        .order_by("battle_id")
        .values_list(
            "battle_id", "voter_id", "battle__prompt_id", "left_model_id", "right_model_id", "outcome",
            "battle__probability", "cast_at", "excluded_rule", "excluded_reason",
        )
    )  # fmt: skip
    for battle, voter, prompt, left, right, outcome, probability, at, rule, reason in votes.iterator(CHUNK):
        yield (
            str(battle), _pseudonym(month, category, f"voter {voter}"), str(prompt), names[left], names[right], outcome,
            f"{probability:.9g}", f"{at.astimezone(UTC).date()}", "no" if rule else "yes",
            f"{rule}: {reason}" if rule else "", "",
        )  # fmt: skip
    imported = (
        ImportedVote.objects.filter(file__category=category, day__gte=month, day__lt=_next(start).date())
        .order_by("file_id", "line")
        .values_list(
            "file_id", "line", "voter_key", "prompt_key", "left_model_id", "right_model_id", "outcome", "day",
            "file__source",
        )
    )  # fmt: skip
    for file, line, voter_key, prompt_key, left, right, outcome, day, source in imported.iterator(CHUNK):
        yield (
            f"{file}:{line}",
            _pseudonym(month, category, f"{source}\x1f{voter_key}") if voter_key else "",
            f"{source}: {prompt_key}" if prompt_key else "",
            names[left], names[right], outcome, "", f"{day}", "yes", "", source,
        )  # fmt: skip


def publish(category: Category) -> dict[str, str]:
    """Write the months whose votes moved since they were written; returns month → sha256 of its newest."""
    newest = {row.month: row for row in latest(category)}
    for month in months(category):
        last = newest.get(month)
        if last is None or _moved(category, month, last.written_at):
            newest[month] = _write(category, month)
    return {f"{month:%Y-%m}": newest[month].sha256 for month in sorted(newest)}


def latest(category: Category) -> list[PublishedVotes]:
    """The newest version of every month's file, oldest month first."""
    versions = category.published_votes.order_by("month", "-written_at", "-pk").distinct("month")
    return list(versions)


def _moved(category: Category, month: date, since: datetime) -> bool:
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    days = Tally.objects.filter(category=category, day__gte=month, day__lt=_next(start).date())
    tallied = days.aggregate(at=Max("changed_at"))["at"]
    cast = Vote.objects.filter(category=category, cast_at__gte=start, cast_at__lt=_next(start))
    uncounted = cast.filter(cast_at__gt=since).aggregate(at=Min("cast_at"))["at"]
    return uncounted is not None or (tallied is not None and tallied > since)


def _write(category: Category, month: date) -> PublishedVotes:
    written_at, count = timezone.now(), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows(category, month):
            writer.writerow(row)
            count += 1
        text.flush()
        content: Any = text.buffer
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = content.tell()
        same = category.published_votes.filter(month=month, sha256=digest).first()
        if same is not None:  # a vote went and came back
            PublishedVotes.objects.filter(pk=same.pk).update(written_at=written_at)
            same.written_at = written_at
            return same
        published = PublishedVotes(
            category=category, month=month, votes=count, size=size, sha256=digest, written_at=written_at
        )
        content.seek(0)
        published.file.save(f"{category.slug}-{month:%Y-%m}-{digest[:12]}.csv", File(content), save=False)
        published.save(force_insert=True)
        return published


def _next(start: datetime) -> datetime:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


def _pseudonym(month: date, category: Category, voter: str) -> str:
    value = f"{month:%Y-%m} {category.pk} {voter}"
    return salted_hmac("leaderboard.published_votes", value, algorithm="sha256").hexdigest()[:16]
