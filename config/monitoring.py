"""Errors to Sentry and traces to a collector, by environment alone. Both are off without their variable.

SENTRY_DSN needs `sentry-sdk`. OTEL_EXPORTER_OTLP_ENDPOINT, and every other OTEL_… that the SDK knows, need the packages
of the extra `otel` in pyproject.toml. Neither gets cookies, bodies, IP addresses or local variables.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MISSING = "{} is set, but {} is not installed: pip install {}"
OTEL_PACKAGES = (
    "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-instrumentation-django "
    "opentelemetry-instrumentation-celery opentelemetry-instrumentation-httpx opentelemetry-instrumentation-psycopg"
)


def start(process: str) -> None:
    """Start what the environment asks for; `process`: web or worker. Raises ImproperlyConfigured."""
    if settings.SENTRY_DSN:
        _sentry(process)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _traces(process)


def _sentry(process: str) -> None:
    try:
        import sentry_sdk
    except ImportError as error:
        raise ImproperlyConfigured(MISSING.format("SENTRY_DSN", "sentry-sdk", "sentry-sdk")) from error
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.VERSION,
        server_name=process,
        send_default_pii=False,
        include_local_variables=False,  # they hold keys of providers, and which model drew what
        max_request_body_size="never",
        traces_sample_rate=0,
        before_send=_scrubbed,
    )


def _scrubbed(event: Any, hint: Any) -> Any:
    """Without headers and query: keys and signatures are in them."""
    del hint
    request = event.get("request", {})
    for name in ("headers", "cookies", "query_string", "data", "env"):
        request.pop(name, None)
    return event


def _traces(process: str) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        name = error.name or "a package"
        raise ImproperlyConfigured(MISSING.format("OTEL_EXPORTER_OTLP_ENDPOINT", name, OTEL_PACKAGES)) from error
    resource = Resource.create({"service.name": f"arena-{process}", "service.version": settings.VERSION})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    for instrumentor in (DjangoInstrumentor, CeleryInstrumentor, HTTPXClientInstrumentor, PsycopgInstrumentor):
        instrumentor().instrument()
