"""A provider that fails for five minutes leaves no hole: afterwards every image exists, and none was paid for thrice.

Time is compressed: a pause between two attempts takes none, and the fault lasts until five minutes of pauses are over.
The circuit breaker is off, for it spares attempts: this is the worst case.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from arena import generation
from arena.generation.attempts import MAX_CHARGED
from arena.models import Entry, Generation
from providers.admission import circuit_breaker
from providers.models import Call
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)

FAULT = timedelta(minutes=5)
IMAGES = 2


class Broken(ThreadingHTTPServer):
    """A provider in one of its bad moods."""

    daemon_threads = True
    mood = ""

    def __init__(self) -> None:
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), BrokenHandler)


class BrokenHandler(BaseHTTPRequestHandler):
    server: Broken

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.server.mood:
            case "hangs":
                self.server.over.wait(30)
            case "answers garbage":
                self._send(200, b'{"data": "<html>\xff', "application/json")
            case "answers pages":
                self._send(200, b"<html>Welcome to nginx!</html>", "text/html")
            case "fails":
                self._send(500, b'{"error": {"message": "internal"}}', "application/json")
            case "hangs up":
                self.connection.close()

    do_GET = do_PUT = do_POST  # noqa: N815 – what http.server looks for

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def broken() -> Iterator[Broken]:
    with Broken() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("provider", "mood"),
    [
        *[("simulated-openai", mood) for mood in ("is down", "hangs", "answers garbage", "fails")],
        *[("simulated-fal", mood) for mood in ("hangs", "answers pages", "hangs up")],
        ("simulated-replicate", "hangs"),
    ],
)
def test_after_five_minutes_of_a_fault_every_image_exists_and_none_was_paid_for_thrice(
    provider, mood, broken, simulator, simulated, settings, monkeypatch
):
    monkeypatch.setattr(circuit_breaker, "FAILURES", 10**6)
    settings.GENERATION_TIME_LIMIT = 1
    settings.ALLOW_LOOPBACK_PROVIDERS = True
    healthy = settings.PROVIDERS[provider] | {"simulated": False}  # real money
    broken.mood = mood
    elsewhere = "http://127.0.0.1:9" if mood == "is down" else f"http://127.0.0.1:{broken.server_port}"
    urls = {name: url.replace(simulator.url, elsewhere) for name, url in healthy["urls"].items()}
    settings.PROVIDERS = settings.PROVIDERS | {provider: healthy | {"urls": urls}}
    model = make.make_model()
    make.make_offering(model, provider, endpoint=f"studio/{model.slug}", price="0.01")
    competition = make.make_competition()
    for _ in range(IMAGES):
        generation.plan(make.make_prompt(competition), [model])
    passed = _work_through(FAULT)
    assert passed >= FAULT
    assert not Entry.objects.exists()
    settings.PROVIDERS = settings.PROVIDERS | {provider: healthy}
    settings.GENERATION_TIME_LIMIT = 60
    _work_through(timedelta(hours=1))
    assert list(Generation.objects.values_list("status", flat=True)) == ["succeeded"] * IMAGES
    assert Entry.objects.count() == IMAGES
    paid = Call.objects.filter(outcome="ok").count() + Call.objects.filter(possibly_charged=True).count()
    assert paid <= 2 * IMAGES
    assert max(Generation.objects.values_list("charged_attempts", flat=True)) < MAX_CHARGED


def _work_through(limit: timedelta) -> timedelta:
    """Run what is due, skip the pauses, until `limit` of them are over or nothing waits; returns how much was."""
    passed = timedelta()
    while passed < limit:
        waiting = Generation.objects.filter(status="queued").order_by("due_at").first()
        if waiting is None:
            return passed
        pause = max(timedelta(), waiting.due_at - timezone.now())
        if passed + pause >= limit:
            return limit
        passed += pause
        for row in Generation.objects.filter(status="queued"):  # for all of them the same time has passed
            Generation.objects.filter(pk=row.pk).update(due_at=row.due_at - pause)
        for row in Generation.objects.filter(status="queued", due_at__lte=timezone.now()):
            generation.run(row.pk)
    return passed
