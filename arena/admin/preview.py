"""The voting screen of a competition before it opens, for staff: a pair as voters will see it. Nothing is stored."""

from __future__ import annotations

import uuid
from datetime import timedelta
from random import SystemRandom

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from arena.battle_page import page as battle_page
from arena.battles.rows import BattleRow, Side
from arena.models import Competition, Entry

_random = SystemRandom()


def page(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> HttpResponse:
    """A pair of the competition, whatever its state, without the models' names. A POST is an answer: the next pair."""
    competition = get_object_or_404(Competition.everything.select_related("category"), pk=pk)
    if not (model_admin.has_view_permission(request, competition) and request.user.has_perm("arena.view_entry")):
        raise PermissionDenied
    if request.method == "POST":
        return redirect(request.path)
    pair = _pair(competition)
    if pair is None:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Preview voting",
            "opts": model_admin.model._meta,
            "competition": competition,
        }
        return render(request, "admin/arena/competition/no_pair.html", context)
    row = _row(competition, *pair)
    images = {"left": pair[0], "right": pair[1]}
    urls = {f"{side}_image": entry.image.url for side, entry in images.items()}
    urls |= {f"{side}_small": entry.small.url for side, entry in images.items()}
    if row.source_image:
        urls["source_url"] = pair[0].prompt.source_image.url
    return HttpResponse(battle_page.preview(request, row, urls))


def _pair(competition: Competition) -> tuple[Entry, Entry] | None:
    entries = Entry.everything.current().filter(prompt__competition=competition, generation__sample=0)
    counted = entries.order_by().values("prompt").annotate(n=Count("image_model", distinct=True)).filter(n__gte=2)
    prompts = list(counted.values_list("prompt", flat=True))
    if not prompts:
        return None
    rows = list(entries.filter(prompt=_random.choice(prompts)).select_related("prompt"))
    left, right = _random.sample(rows, 2)
    return left, right


def _row(competition: Competition, left: Entry, right: Entry) -> BattleRow:
    """A battle's row without a battle; nothing in it knows a model."""

    def side(entry: Entry) -> Side:
        return Side("preview", 0, entry.width, entry.height)

    now, category = timezone.now(), competition.category
    return BattleRow(
        pk=uuid.uuid4(),
        voter=0,
        prompt=left.prompt_id,
        served_at=now,
        expires_at=now + timedelta(hours=1),
        skipped_at=None,
        is_expired=False,
        is_live=True,
        text=left.prompt.text,
        source_image=left.prompt.source_image.name or "",
        question=competition.question,
        criterion=competition.criterion,
        shape=competition.shape,
        competition=competition.pk,
        category=category.pk,
        category_slug=category.slug,
        category_name=category.name,
        is_private=category.is_private,
        outcome=None,
        cast_at=None,
        excluded_reason=None,
        is_reported=False,
        left=side(left),
        right=side(right),
    )
