"""Rows that nobody will ask for again, deleted in batches, each kind after a time of its own (settings: RETENTION).

Votes, what they were cast on, calls and everything that money was spent on are never pruned.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from arena.models import Battle, Report, Vote, Voter
from providers.models import GatewayRequest

BATCH = 1_000  # rows of one transaction


def unanswered_battles() -> QuerySet[Battle]:
    """Expired without a vote, and nobody has reported what they showed."""
    before = timezone.now() - timedelta(days=settings.RETENTION["unanswered battles"])
    return Battle.objects.filter(
        ~Exists(Vote.objects.filter(battle=OuterRef("pk"))),
        ~Exists(Report.objects.filter(battle=OuterRef("pk"))),
        expires_at__lt=before,
    )


def voters_without_battles() -> QuerySet[Voter]:
    """Nothing refers to them but their progress, which goes with them. A browser that still has their cookie becomes a
    new voter, and notices nothing."""
    before = timezone.now() - timedelta(days=settings.RETENTION["voters without battles"])
    referring = [relation for relation in Voter._meta.related_objects if relation.on_delete is not models.CASCADE]
    rows = Voter.objects.filter(created_at__lt=before)
    for relation in referring:
        model: Any = relation.related_model
        column = relation.field.name
        rows = rows.exclude(Exists(model._default_manager.filter(**{column: OuterRef("pk")})))
    return rows


def api_requests() -> QuerySet[GatewayRequest]:
    """Their calls, with what they cost, stay."""
    before = timezone.now() - timedelta(days=settings.RETENTION["API requests"])
    return GatewayRequest.objects.filter(asked_at__lt=before).exclude(status="running")


def sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())


KINDS: dict[str, Callable[[], QuerySet[Any]]] = {
    "unanswered battles": unanswered_battles,
    "voters without battles": voters_without_battles,
    "API requests": api_requests,
    "sessions": sessions,
}


def prune(limit: int) -> dict[str, int]:
    """Delete up to `limit` rows of each kind; returns how many of each."""
    deleted = {}
    for kind, rows in KINDS.items():
        count = 0
        while count < limit:
            with transaction.atomic():
                pks = list(rows().values_list("pk", flat=True)[: min(BATCH, limit - count)])
                rows().filter(pk__in=pks).delete()
            count += len(pks)
            if len(pks) < BATCH:
                break
        deleted[kind] = count
    return deleted
