"""What the gateway uses of Django that Django does not document. A new release that changes it fails here first."""

from __future__ import annotations

import logging

import pytest
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory


def test_the_base_handler_answers_a_request_synchronously(db):
    """asgi.Gateway calls it in a thread of its own."""
    handler = BaseHandler()
    handler.load_middleware()
    response = handler.get_response(RequestFactory().get("/openai/v1/nothing"))
    assert response.status_code == 404
    assert response["x-request-id"].startswith("req_")


def test_errors_in_the_envelope_are_not_logged_as_warnings(client, caplog, db):
    """views.api sets `_has_been_logged`."""
    with caplog.at_level(logging.INFO, "django.request"):
        assert client.get("/openai/v1/nothing").status_code == 404
    assert not caplog.records


@pytest.mark.parametrize("response", [HttpResponse(), StreamingHttpResponse()])
def test_handlers_close_responses(response):
    """views.ImagesResponse settles its job there."""
    assert callable(response.close)
