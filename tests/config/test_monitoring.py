"""SENTRY_DSN and OTEL_EXPORTER_OTLP_ENDPOINT alone send errors and traces, without what is nobody else's to see."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import brotli
import pytest

from config.services.places import CHECKOUT

# The site's own start, then one request whose view fails.
PROGRAM = """
import os
os.environ["ARENA_PROCESS"] = "web"
import config.asgi
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from config import urls
from django.urls import path

def view(request):
    key = "sk-hidden-local"
    raise LookupError("as the test wants it")

urls.urlpatterns.insert(0, path("failing/", view))
client = Client(raise_request_exception=False, headers={"authorization": "Bearer sk-hidden-header"})
client.cookies["voter"] = "hidden-cookie"
assert client.get("/failing/?signature=hidden-query").status_code == 500
import sentry_sdk
sentry_sdk.flush(10)
from opentelemetry import trace
getattr(trace.get_tracer_provider(), "force_flush", lambda: None)()
"""


DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}


class Collector:
    def __init__(self) -> None:
        bodies: dict[str, bytes] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies[self.path] = DECODERS[self.headers["Content-Encoding"]](body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *values: object) -> None:
                pass

        self.bodies = bodies
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


def test_an_error_and_its_trace_arrive_without_secrets(collector):
    host = f"127.0.0.1:{collector.server.server_port}"
    environment = os.environ | {
        "SENTRY_DSN": f"http://key@{host}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{host}",
        "ALLOWED_HOSTS": "testserver",
        "DEBUG": "1",  # nothing is collected into var/static
        "no_proxy": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    error, traces = collector.bodies["/api/1/envelope/"], collector.bodies["/v1/traces"]
    assert b"as the test wants it" in error
    assert b"arena-web" in traces
    assert b"failing/" in traces
    assert b"hidden" not in error


def test_without_its_package_the_start_ends_with_the_command_that_helps(monkeypatch, settings):
    from django.core.exceptions import ImproperlyConfigured

    from config import monitoring

    settings.SENTRY_DSN, settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://key@127.0.0.1:1/1", ""
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ImproperlyConfigured, match="pip install sentry-sdk"):
        monitoring.start("web")
