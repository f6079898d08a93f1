"""Lines of the log: ids of requests and tasks, one traceback for a failure that repeats, JSON, rotation."""

from __future__ import annotations

import json
import logging
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import DisallowedHost
from django.utils.module_loading import import_string

from config import logs
from config.services import processes


@pytest.fixture
def log(settings):
    """A logger with the site's filters, and what it has written."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    for name in settings.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    logger = logging.getLogger("tests.lines")
    logger.propagate, logger.handlers = False, [handler]
    logger.setLevel("INFO")
    yield logger, written, handler
    logger.propagate, logger.handlers = True, []


def fail(logger: logging.Logger, error: Exception, message: str = "a page failed") -> None:
    try:
        raise error
    except type(error):
        logger.exception(message)


def test_a_failure_that_repeats_has_one_traceback_and_then_a_line_each(log):
    logger, written, _ = log
    for number in range(50):
        fail(logger, ConnectionError(f"number {number}\nof many"))
    lines = written.getvalue().splitlines()
    assert written.getvalue().count("Traceback") == 1
    assert len(lines) < 49 + 15
    assert lines[-1].endswith("a page failed (again: ConnectionError: number 49 of many)")
    fail(logger, KeyError("other"))
    assert written.getvalue().count("Traceback") == 2


def test_a_host_that_is_not_ours_is_a_warning_in_one_line(log):
    """Who scans the internet sends thousands of them: no error, which an operator would be alerted to."""
    _, written, handler = log
    security = logging.getLogger("django.security.DisallowedHost")
    security.addHandler(handler)
    try:
        fail(security, DisallowedHost("evil.example"), "Invalid HTTP_HOST header: 'evil.example'")
    finally:
        security.removeHandler(handler)
    assert len(written.getvalue().splitlines()) == 1
    assert " WARNING django.security.DisallowedHost Invalid HTTP_HOST" in written.getvalue()


def test_its_traceback_comes_again_after_a_while(log, monkeypatch):
    logger, written, _ = log
    times = iter([1000.0, 1000.0 + logs.WINDOW - 1, 1000.0 + logs.WINDOW])
    monkeypatch.setattr(logs, "monotonic", lambda: next(times))
    for _ in range(3):
        fail(logger, OSError("gone"))
    assert written.getvalue().count("Traceback") == 2


def test_what_a_client_sends_fills_no_log(log):
    logger, written, _ = log
    logger.warning("Not Found: %s", "/" + "a" * 60_000)
    assert len(written.getvalue()) < logs.MAX_MESSAGE + 100
    assert "(60012 characters)" in written.getvalue()
    logger.warning("Not Found: %s", "/short")
    assert written.getvalue().splitlines()[-1].endswith("Not Found: /short")


def test_a_line_names_its_request(log):
    logger, written, handler = log
    token = logs.request_id.set(logs.id_of([(b"host", b"a"), (b"x-request-id", b"balancer-4711")]))
    try:
        logger.info("hello")
        assert written.getvalue().endswith("hello request=balancer-4711\n")
        handler.setFormatter(logs.JsonLines())
        fail(logger, OSError("ünï"))
    finally:
        logs.request_id.reset(token)
    line = json.loads(written.getvalue().splitlines()[-1])
    assert (line["request_id"], line["level"], line["message"]) == ("balancer-4711", "ERROR", "a page failed")
    assert "OSError: ünï" in line["exception"]
    assert "task" not in line


@pytest.mark.parametrize("sent", [b"", b"short", b"a" * 65, b"with space", b"line\nbreak-in-it", b'{"json": 1}'])
def test_what_a_client_sends_as_an_id_is_no_line_of_its_own(sent):
    assert logs.id_of([(b"x-request-id", sent)]) != sent.decode()


def test_a_line_names_its_task(log):
    from config.celery import app

    logger, written, handler = log
    handler.setFormatter(logs.JsonLines())

    @app.task(name="tests.speaking")
    def speaking() -> None:
        logger.info("from a task")

    task_id = speaking.apply().id
    line = json.loads(written.getvalue())
    assert (line["task"], line["task_id"]) == ("tests.speaking", task_id)


def test_a_log_is_rotated_while_its_process_writes(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(processes, "LOG_LIMIT", 100)
    path = tmp_path / "web.log"
    with processes.open_log(path) as log:
        log.write(b"a" * 101)
        log.flush()
        processes.rotate(path)
        log.write(b"later")
        log.flush()
        processes.rotate(path)
    assert path.read_bytes() == b"later"
    assert path.with_name("web.log.1").read_bytes() == b"a" * 101
