"""The queue of voters to look at: their evidence on one page, decided one by one or many at once, and who decided."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from arena.integrity import consequences, evidence, rules, watch
from arena.models import NetworkWatch, Vote, VoterDecision, VoterProgress, VoterWatch
from providers.admin.read_only import ReadOnly
from providers.web import history

from .shared import reason_of


class WhyThese(ActionForm):
    reason = CharField(required=False, max_length=150, help_text="needed for every decision")


class OpenCases(admin.SimpleListFilter):
    """Suspicious ones first: they are the curator's queue."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("excluded", "Excluded"), ("all", "All voters")]

    def choices(self, changelist: Any) -> Any:
        for value, label in [(None, "Suspicious"), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[VoterWatch]) -> QuerySet[VoterWatch]:
        if self.value() == "all":
            return queryset
        if self.value() == "excluded":
            return queryset.filter(voter__in=_excluded_voters())
        return queryset.filter(review_peak__gte=evidence.REVIEW)


def _excluded_voters() -> Any:
    return VoterProgress.objects.exclude(excluded_rule="").values("voter")


class SeesVotes(ReadOnly):
    """The right to look at votes is the right to look at what is known about them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("arena.view_vote")


@admin.register(VoterWatch)
class VoterWatchAdmin(SeesVotes, admin.ModelAdmin[VoterWatch]):
    """Voters by what speaks against them. A rule excludes by itself beyond 1000 to 1; from 100 on a curator looks."""

    list_display = ("voter", "category", "odds", "standing", "votes", "last_vote_at")
    list_filter = (OpenCases, "category")
    list_select_related = ("voter", "category")
    ordering = ("-review_peak", "pk")
    search_fields = ("=voter__id",)
    search_help_text = "The number of a voter."
    list_per_page = 50
    show_full_result_count = False
    action_form = WhyThese
    actions = ("exclude_voters", "count_again", "dismiss")
    change_form_template = "admin/arena/voterwatch/change_form.html"

    @admin.display(description="odds against honesty", ordering="review_peak")
    def odds(self, state: VoterWatch) -> str:
        return _odds(state.review_peak)

    @admin.display(description="votes count")
    def standing(self, state: VoterWatch) -> str:
        rule = VoterProgress.objects.filter(voter=state.voter_id, category=state.category_id).values_list(
            "excluded_rule", flat=True
        )
        return rule.first() or "yes"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_vote")

    @admin.action(description="Exclude: no vote of theirs counts in the category", permissions=["decide"])
    def exclude_voters(self, request: HttpRequest, queryset: QuerySet[VoterWatch]) -> HttpResponse | None:
        return self._decide(request, queryset, "exclude_voters", "Exclude these voters?")

    @admin.action(description="Count again: their votes come back", permissions=["decide"])
    def count_again(self, request: HttpRequest, queryset: QuerySet[VoterWatch]) -> HttpResponse | None:
        return self._decide(request, queryset, "count_again", "Count their votes again?")

    @admin.action(description="Dismiss: looked at, nothing found", permissions=["decide"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[VoterWatch]) -> HttpResponse | None:
        return self._decide(request, queryset, "dismiss", "Nothing found?")

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[VoterWatch], action: str, title: str
    ) -> HttpResponse | None:
        """One at once; several after a second look at what would happen."""
        reason, states = reason_of(request), list(queryset.order_by("pk"))
        if not reason:
            messages.error(request, "Nothing was changed: say why, beside the action.")
            return None
        if len(states) > 1 and "confirmed" not in request.POST:
            votes = Vote.objects.filter(voter__in=[state.voter_id for state in states])
            context = {
                **self.admin_site.each_context(request),
                "title": title,
                "opts": self.model._meta,
                "action": action,
                "states": states,
                "votes": votes.count(),
                "reason": reason,
                "selected": request.POST.getlist("_selected_action"),
                "select_across": request.POST.get("select_across", "0"),
                "query": request.GET.urlencode(),
            }
            return render(request, "admin/arena/voterwatch/confirm.html", context)
        history.record(request, states[: history.LOGGED], f"{title.rstrip('?')}: {reason}")
        by = request.user.get_username()
        moved = 0
        for state in states:
            voter, category = state.voter_id, state.category_id
            if action == "exclude_voters":
                moved += consequences.exclude_voter(
                    voter, category, rules.CURATOR.name, f"{reason} ({by[:40]})", by=by, log_e=state.review_peak
                )
            elif action == "count_again":
                moved += consequences.return_voter(voter, category, reason, by=by)
            else:
                consequences.dismiss(voter, category, reason, by=by)
        count = f"{len(states)} voter{'s' if len(states) > 1 else ''}"
        messages.success(request, f"Decided about {count}; {moved} votes moved. The boards follow within seconds.")
        return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        state = self.get_object(request, object_id)
        extra = {} if state is None or not self.has_view_permission(request) else self._evidence(state)
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def _evidence(self, state: VoterWatch) -> dict[str, Any]:
        voter, category = state.voter, state.category_id
        votes = Vote.objects.filter(voter=voter, category=category).select_related("left_model", "right_model")
        seen = watch.evidence_of(voter.pk, category, state.strengths, state.since)
        neighbours = VoterWatch.objects.none()
        if voter.network:
            neighbours = VoterWatch.objects.filter(voter__network=voter.network, category=category).exclude(pk=state.pk)
        progress = VoterProgress.objects.filter(voter=voter, category=category).first()
        return {
            "state": state,
            "odds": _odds(state.review_peak),
            "families": [(name, _odds(value)) for name, value in zip(evidence.FAMILIES, state.families, strict=True)],
            "skips": _odds(state.skips),
            "line": _line(seen.all),
            "recent": votes.order_by("-cast_at")[:200],
            "progress": progress,
            "neighbours": neighbours.select_related("voter")[:50],
            "networks": NetworkWatch.objects.filter(network__in=[voter.network, voter.prefix], category=category),
            "decisions": VoterDecision.objects.filter(voter=voter, category=category).order_by("-pk"),
        }


def _odds(log_e: float) -> str:
    if log_e < math.log(2):
        return "none"
    return f"{math.exp(min(log_e, 60)):,.0f} to 1" if log_e < math.log(1e6) else "more than 1,000,000 to 1"


def _line(path: Any) -> str:
    """The evidence after each vote as points of an SVG polyline in a box of 600 × 120, from 1 to a million."""
    if not path.size:
        return ""
    x = np.linspace(0, 600, path.size) if path.size > 1 else np.array([0.0])
    y = 110 - 100 * np.clip(path, 0, math.log(1e6)) / math.log(1e6)
    return " ".join(f"{across:.0f},{down:.0f}" for across, down in zip(x, y, strict=True))


@admin.register(VoterDecision)
class DecisionAdmin(SeesVotes, admin.ModelAdmin[VoterDecision]):
    """Who was taken out or let in again, by which rule or curator, and why."""

    list_display = ("created_at", "action", "voter", "category", "rule", "reason", "by", "votes")
    list_filter = ("action", "rule", "category")
    list_select_related = ("voter", "category")
    ordering = ("-created_at", "-pk")
    search_fields = ("=voter__id", "by", "reason")
    show_full_result_count = False


@admin.register(NetworkWatch)
class NetworkWatchAdmin(SeesVotes, admin.ModelAdmin[NetworkWatch]):
    """Networks by their first votes together. A date stands for all newcomers of a day."""

    list_display = ("name", "category", "odds", "voters", "excluded_at", "watched_at")
    list_filter = ("category", ("excluded_at", admin.EmptyFieldListFilter))
    list_select_related = ("category",)
    ordering = ("-peak", "pk")
    show_full_result_count = False

    @admin.display(description="network")
    def name(self, state: NetworkWatch) -> str:
        return state.network if len(state.network) == 10 else f"{state.network[:6]}…"

    @admin.display(description="odds against honesty", ordering="peak")
    def odds(self, state: NetworkWatch) -> str:
        return _odds(state.peak)
