"""One queue for what visitors sent: reported images and suggested prompts, each with all that a decision needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from arena import reports, suggestions
from arena.admin.shared import number_of, reason_of
from arena.models import Competition, Entry, Prompt, Report, Suggestion
from providers.web import history

ON_A_PAGE = 10  # of each kind
REASON = 200  # characters


@dataclass(frozen=True, slots=True)
class ReportedImage:
    """An image with its open reports: (reason, how many), most first."""

    entry: Entry
    reasons: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class SuggestedPrompt:
    """A suggestion with the prompts that are much like it, and how many others wait that say the same."""

    suggestion: Suggestion
    alike: list[Prompt]
    twins: int
    competitions: list[Competition]  # of its mode


def page(model_admin: admin.ModelAdmin[Suggestion], request: HttpRequest) -> HttpResponse:
    """GET: what waits, oldest first. POST: decide one of them."""
    may_reports = request.user.has_perm("arena.view_report")
    may_suggestions = request.user.has_perm("arena.view_suggestion")
    if not (may_reports or may_suggestions):
        raise PermissionDenied
    if request.method == "POST":
        _decide(request)
        return redirect(request.get_full_path())
    number = request.GET.get("page")
    reported = Paginator(_open_entries() if may_reports else [], ON_A_PAGE).get_page(number)
    waiting = Suggestion.objects.filter(decided_at=None).order_by("suggested_at", "pk")
    suggested = Paginator(waiting if may_suggestions else waiting.none(), ON_A_PAGE).get_page(number)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Waiting for a decision",
        "opts": model_admin.model._meta,
        "reported": reported,
        "suggested": suggested,
        "images": _reported([row["entry"] for row in reported]),
        "prompts": _suggested(list(suggested)),
        "longer": max(reported, suggested, key=lambda rows: rows.paginator.num_pages),
        "may_decide_reports": request.user.has_perm("arena.change_entry"),
        "may_decide_suggestions": request.user.has_perm("arena.change_suggestion"),
    }
    return render(request, "admin/arena/queue.html", context)


def _open_entries() -> Any:
    """Ids of the entries with open reports, the oldest report first."""
    rows = Report.objects.open().order_by().values("entry")
    return rows.annotate(since=Min("created_at")).order_by("since", "entry")


def _reported(pks: list[int]) -> list[ReportedImage]:
    related = ("image_model", "prompt__competition")
    entries = Entry.everything.select_related(*related).in_bulk(pks)
    counted = Report.objects.open().filter(entry__in=pks).order_by().values_list("entry", "reason")
    reasons: dict[int, list[tuple[str, int]]] = {}
    for entry, reason, count in counted.annotate(n=Count("pk")).order_by("-n", "reason"):
        reasons.setdefault(entry, []).append((str(Report.Reason(reason).label), count))
    return [ReportedImage(entries[pk], reasons.get(pk, [])) for pk in pks]


def _suggested(rows: list[Suggestion]) -> list[SuggestedPrompt]:
    by_mode: dict[str, list[Competition]] = {}
    for competition in Competition.objects.select_related("category"):
        by_mode.setdefault(competition.category.mode, []).append(competition)
    return [
        SuggestedPrompt(row, suggestions.alike(row), suggestions.twins(row), by_mode.get(row.mode, [])) for row in rows
    ]


def _decide(request: HttpRequest) -> None:
    kind, _, verb = request.POST.get("action", "").partition(" ")
    action = ACTIONS.get((kind, verb))
    pk = number_of(request.POST.get("pk", ""))
    if action is None or pk is None:
        messages.error(request, "Nothing was changed: choose what to do.")
        return
    if not request.user.has_perm("arena.change_entry" if kind == "report" else "arena.change_suggestion"):
        raise PermissionDenied
    action(request, pk)


def _accept_report(request: HttpRequest, pk: int) -> None:
    rows = list(Report.objects.open().filter(entry=pk))
    retired, excluded = reports.accept(rows, reason_of(request, REASON))
    history.record(request, rows, "Accepted.")
    history.record(request, Entry.everything.filter(pk=pk, pk__in=[row.entry_id for row in rows]), "Retired: reported.")
    images = "1 image" if retired == 1 else f"{retired} images"
    messages.success(request, f"{images} retired; {excluded} votes that were not blind no longer count.")


def _dismiss_report(request: HttpRequest, pk: int) -> None:
    rows = list(Report.objects.open().filter(entry=pk))
    reports.dismiss(rows, reason_of(request, REASON))
    history.record(request, rows, "Dismissed.")
    messages.success(request, "Dismissed: the image is shown again.")


def _accept_suggestion(request: HttpRequest, pk: int) -> None:
    number = number_of(request.POST.get("competition", ""))
    competition = None if number is None else Competition.objects.filter(pk=number).first()
    if competition is None:
        messages.error(request, "Nothing was changed: choose the competition that takes it.")
        return
    for suggestion in _waiting(request, pk):
        suggestions.accept(suggestion, competition)
        history.record(request, [suggestion], f"Accepted into {competition}.")
        messages.success(
            request, f"“{suggestion}” is a prompt of {competition} now. “Ask the models” makes its images."
        )


def _merge_suggestion(request: HttpRequest, pk: int) -> None:
    number = number_of(request.POST.get("prompt", ""))
    prompt = None if number is None else Prompt.objects.current().filter(pk=number).first()
    if prompt is None:
        messages.error(request, "Nothing was changed: choose the prompt that says the same.")
        return
    for suggestion in _waiting(request, pk):
        suggestions.merge(suggestion, prompt)
        history.record(request, [suggestion], f"Merged into prompt {prompt.pk}.")
        messages.success(request, f"“{suggestion}” counts as the prompt that was there.")


def _decline_suggestion(request: HttpRequest, pk: int) -> None:
    reason = reason_of(request, REASON)
    if not reason:
        messages.error(request, "Nothing was changed: say why; its visitor reads it.")
        return
    for suggestion in _waiting(request, pk):
        suggestions.decline(suggestion, reason)
        history.record(request, [suggestion], f"Declined: {reason}")
        messages.success(request, f"“{suggestion}” declined.")


def _waiting(request: HttpRequest, pk: int) -> list[Suggestion]:
    rows = list(Suggestion.objects.filter(pk=pk, decided_at=None))
    if not rows:
        messages.info(request, "Somebody else has decided this meanwhile.")
    return rows


def _guarded(action: Callable[[HttpRequest, int], None]) -> Callable[[HttpRequest, int], None]:
    def guarded(request: HttpRequest, pk: int) -> None:
        try:
            action(request, pk)
        except suggestions.NotAccepted as error:
            messages.error(request, str(error))

    return guarded


ACTIONS: dict[tuple[str, str], Callable[[HttpRequest, int], None]] = {
    ("report", "accept"): _accept_report,
    ("report", "dismiss"): _dismiss_report,
    ("suggestion", "accept"): _guarded(_accept_suggestion),
    ("suggestion", "merge"): _guarded(_merge_suggestion),
    ("suggestion", "decline"): _decline_suggestion,
}
