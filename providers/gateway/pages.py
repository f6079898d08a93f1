"""Pages about the gateway: the reference, the keys (by permission), and a key's log for its holder."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from providers.gateway import budgets, discovery, keys, openapi, responses
from providers.models import ApiKey, GatewayRequest, ImageModel
from providers.web import client_address, history
from providers.web.spreadsheets import safe_cell

from .recipes import RECIPES
from .views import origin_of

SHOWN = 100
ROTATION_GRACE = timedelta(days=1)
COLUMNS = (
    "time", "request", "model", "mode", "n", "provider", "status", "http_status", "latency_ms", "overhead_ms",
    "cost_usd", "error_code", "error", "tag",
)  # fmt: skip
View = Callable[..., HttpResponseBase]


def permission(name: str) -> Callable[[View], View]:
    """Staff with this permission of the app; the login page for visitors, 403 for staff without it."""

    def decorate(view: View) -> View:
        checked = permission_required(f"providers.{name}", raise_exception=True)(view)
        wrapped: View = functools.wraps(view)(never_cache(staff_member_required(checked)))
        return wrapped

    return decorate


class KeyForm(forms.ModelForm[ApiKey]):
    class Meta:
        model = ApiKey
        fields = (
            "name", "daily_budget", "monthly_budget", "total_budget", "requests_per_minute", "expires_at",
            "allowed_models", "default_model", "response_format",
        )  # fmt: skip
        labels = {
            "name": gettext_lazy("Name"),
            "daily_budget": gettext_lazy("Budget per day, USD"),
            "monthly_budget": gettext_lazy("Budget per month, USD"),
            "total_budget": gettext_lazy("Budget in all, USD"),
            "requests_per_minute": gettext_lazy("Requests per minute"),
            "expires_at": gettext_lazy("Expires (UTC)"),
            "allowed_models": gettext_lazy("Models it may use, comma between"),
            "default_model": gettext_lazy("Default model"),
            "response_format": gettext_lazy("Response format"),
        }
        help_texts = dict.fromkeys(fields, "")

    def clean_allowed_models(self) -> list[str]:
        return [_known_model(slug) for slug in self.cleaned_data["allowed_models"]]

    def clean_default_model(self) -> str:
        name: str = self.cleaned_data["default_model"]
        if name:
            _known_model(name.rpartition("/")[2])
        return name


def _known_model(slug: str) -> str:
    if not ImageModel.objects.current().filter(slug=slug).exists():
        raise forms.ValidationError(gettext("There is no model “%(name)s”.") % {"name": slug})
    return slug


@require_safe
def api(request: HttpRequest) -> HttpResponse:
    """The reference, rendered from the rows that requests are checked against."""
    models = discovery.models()
    base_url = f"{origin_of(request)}/openai/v1"
    example = models[0]["id"] if models else "flux.2-klein-9b"
    context = {
        "base_url": base_url,
        "recipes": [(recipe, recipe.text(base_url, example)) for recipe in RECIPES],
        "parameters": openapi.reference(),
        "errors": openapi.ERRORS,
        "headers": openapi.HEADERS,
        "models": models,
        "example": example,
    }
    return render(request, "gateway/api.html", context)


@permission("view_apikey")
@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """Keys, and a form for a new one. A new key's secret is in this one response and nowhere else."""
    form = KeyForm(request.POST or None)
    if request.method != "POST":
        return _keys(request, form)
    if not request.user.has_perm("providers.add_apikey"):
        raise PermissionDenied
    if not form.is_valid():
        return _keys(request, form, status=400)
    with history.by(request):
        key, secret = ApiKey.make(**form.cleaned_data)
    return _keys(request, KeyForm(), new_key=key, secret=secret)


def _keys(request: HttpRequest, form: KeyForm, *, status: int = 200, **context: Any) -> HttpResponse:
    spent = budgets.spent_this_month()
    rows = [(key, spent.get(key.pk, Decimal(0))) for key in ApiKey.objects.order_by("revoked_at", "-created_at")]
    return render(request, "gateway/keys.html", {"form": form, "rows": rows, **context}, status=status)


@permission("change_apikey")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(ApiKey, pk=pk)
    history.update(request, ApiKey.objects.filter(pk=pk, revoked_at=None), "Revoked.", revoked_at=timezone.now())
    return redirect("providers:keys")


@permission("change_apikey")
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret for the key, shown in this one response; the old one is accepted for a day."""
    key = get_object_or_404(ApiKey, pk=pk, revoked_at=None)
    with history.by(request):
        secret = key.rotate(ROTATION_GRACE)
    return _keys(request, KeyForm(), new_key=key, secret=secret, is_rotated=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log(request: HttpRequest) -> HttpResponseBase:
    """A key's requests. Its holder sends the key with each request and it is stored nowhere; staff with the permission
    use its prefix."""
    key, problem, status = None, "", 200
    if request.method == "POST":
        key = keys.of_secret(request.POST.get("key", "").strip()) if _may_look_up(request) else None
        if key is None:
            problem, status = gettext("This API key is unknown, expired or revoked."), 401
    elif "key" in request.GET and request.user.is_staff:
        if not request.user.has_perm("providers.view_gatewayrequest"):
            raise PermissionDenied
        key = get_object_or_404(ApiKey, prefix=request.GET["key"])
    if key is not None and request.POST.get("as", request.GET.get("as")) == "csv":
        return _csv(key)
    context: dict[str, Any] = {"problem": problem, "key": key, "shown": SHOWN}
    if key is not None:
        requests = key.requests.defer("answer", "files")
        context |= {"requests": requests[:SHOWN], "count": requests.count(), "spent": budgets.spent(key)}
        context |= {"sums": _sums_of_month(key), "days": key.spending.all()[:31]}
        context["secret"] = request.POST.get("key", "").strip()
    return render(request, "gateway/log.html", context, status=status)


def _sums_of_month(key: ApiKey) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """This month by model and by user: title, head of the names, rows of name, requests, failed and cost in USD."""
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = key.requests.order_by().filter(asked_at__gte=month)
    groups = []
    for title, head, column in (
        (gettext("This month by model"), gettext("Model"), "model"),
        (gettext("This month by user"), gettext("User"), "tag"),
    ):
        sums = (
            rows.exclude(**{column: ""})
            .values(column)
            .annotate(requests=Count("pk"), failed=Count("pk", filter=Q(status="failed")), cost=Sum("cost"))
            .order_by("-requests", column)[:50]
        )
        groups.append((title, head, [{"name": row[column], **row} for row in sums]))
    return [group for group in groups if group[2]]


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
        row.asked_at.isoformat(), row.request_id, safe_cell(row.model), row.mode, row.n, row.provider, row.status,
        row.http_status, latency, overhead, row.cost, row.error_code, safe_cell(row.error), safe_cell(row.tag),
    ]  # fmt: skip
