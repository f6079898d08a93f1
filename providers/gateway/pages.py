"""Pages about the gateway: the reference, the keys (staff), and a key's log for its holder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from providers import client_address
from providers.gateway import budgets, discovery, keys, openapi, responses
from providers.models import ApiKey, GatewayRequest

from .views import origin_of

SHOWN = 100
COLUMNS = (
    "time", "request", "model", "mode", "n", "provider", "status", "http_status", "latency_ms", "overhead_ms",
    "cost_usd", "error_code", "error",
)  # fmt: skip


class KeyForm(forms.ModelForm[ApiKey]):
    class Meta:
        model = ApiKey
        fields = ("name", "monthly_budget", "requests_per_minute", "response_format")
        labels = {
            "name": "Name",
            "monthly_budget": "Budget per month, USD",
            "requests_per_minute": "Requests per minute",
        }
        help_texts = {"monthly_budget": "", "requests_per_minute": "", "response_format": ""}


@require_safe
def api(request: HttpRequest) -> HttpResponse:
    """The reference, rendered from the rows that requests are checked against."""
    models = discovery.models()
    context = {
        "base_url": f"{origin_of(request)}/openai/v1",
        "parameters": openapi.PROPERTIES,
        "errors": openapi.ERRORS,
        "headers": openapi.HEADERS,
        "models": models,
        "example": models[0]["id"] if models else "flux.2-klein-9b",
    }
    return render(request, "gateway/api.html", context)


@never_cache
@staff_member_required
@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Keys, and a form for a new one. A new key's secret is in this one response and nowhere else."""
    _require(request, "add_apikey" if request.method == "POST" else "view_apikey")
    form = KeyForm(request.POST or None)
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        if form.is_valid():
            context["new_key"], context["secret"] = ApiKey.make(**form.cleaned_data)
            form = KeyForm()
        else:
            status = 400
    spent = budgets.spent_this_month()
    rows = [(key, spent.get(key.pk, Decimal(0))) for key in ApiKey.objects.order_by("revoked_at", "-created_at")]
    return render(request, "gateway/keys.html", {"form": form, "rows": rows, **context}, status=status)


@never_cache
@staff_member_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, "change_apikey")
    get_object_or_404(ApiKey, pk=pk)
    ApiKey.objects.filter(pk=pk, revoked_at=None).update(revoked_at=timezone.now())
    return redirect("providers:keys")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log(request: HttpRequest) -> HttpResponseBase:
    """A key's requests. Its holder sends the key with each request and it is stored nowhere; staff use its prefix."""
    key, problem, status = None, "", 200
    if request.method == "POST":
        key = keys.of_secret(request.POST.get("key", "").strip()) if _may_look_up(request) else None
        if key is None:
            problem, status = "This API key is unknown or revoked.", 401
    elif request.user.is_staff and "key" in request.GET:
        _require(request, "view_apikey")
        key = get_object_or_404(ApiKey, prefix=request.GET["key"])
    if key is not None and request.POST.get("as", request.GET.get("as")) == "csv":
        return _csv(key)
    context: dict[str, Any] = {"problem": problem, "key": key, "shown": SHOWN}
    if key is not None:
        requests = key.requests.defer("answer", "files")
        context |= {"requests": requests[:SHOWN], "count": requests.count(), "spent": budgets.spent(key)}
        context["secret"] = request.POST.get("key", "").strip()
    return render(request, "gateway/log.html", context, status=status)


def _require(request: HttpRequest, permission: str) -> None:
    """Being staff permits nothing by itself: keys are somebody's money. Raises PermissionDenied."""
    if not request.user.has_perm(f"providers.{permission}"):
        raise PermissionDenied


def _may_look_up(request: HttpRequest) -> bool:
    """Keys cannot be guessed; this only bounds the queries of somebody who tries."""
    return not keys.count(f"gateway:log:{client_address.network_of(request)}", 60).is_exceeded


def _csv(key: ApiKey) -> StreamingHttpResponse:
    name = f"{key.prefix}-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_csv_lines(key), content_type="text/csv; charset=utf-8", headers=headers)


class _Echo:
    def write(self, line: str) -> str:
        return line


def _csv_lines(key: ApiKey) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in key.requests.defer("answer", "files").iterator(chunk_size=2000):
        yield writer.writerow(_cells(row))


def _cells(row: GatewayRequest) -> list[Any]:
    latency, overhead = (
        None if time is None else responses.milliseconds(time) for time in (row.duration, row.overhead)
    )
    return [
        row.asked_at.isoformat(), row.request_id, _safe(row.model), row.mode, row.n, row.provider, row.status,
        row.http_status, latency, overhead, row.cost, row.error_code, _safe(row.error),
    ]  # fmt: skip


def _safe(text: str) -> str:
    """A cell that spreadsheets do not read as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
