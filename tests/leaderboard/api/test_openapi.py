"""No request made from the OpenAPI file meets a response that the file does not have."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leaderboard.api.openapi import ENDPOINTS

from .test_api import category, shared_category

__all__ = ["category", "shared_category"]
pytestmark = pytest.mark.django_db
# Cases of an endpoint and a mode. 8,000 in all:
# SCHEMATHESIS_EXAMPLES=250 bin/test tests/leaderboard/api/test_openapi.py
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]
ALWAYS_RIGHT = {f"/{path}" for path, (_, _, is_paged, parameters) in ENDPOINTS.items() if not (is_paged or parameters)}


@pytest.fixture
def application() -> Iterator[WSGIHandler]:
    """The site, on this test's connection: as with Django's own client, no request closes it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_the_file_allows_and_what_it_does_not(category, application, mode):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    schema.validate()
    operations = [result.ok() for result in schema.get_all_operations()]
    assert {operation.path for operation in operations} == {f"/{path}" for path in ENDPOINTS}
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and operation.path in ALWAYS_RIGHT:
            continue  # nothing can be wrong with it

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES == 5,  # the same ones in every test run; the long one finds its own
            database=None,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case):
            case.call_and_validate(checks=CHECKS, headers={"Accept-Encoding": "identity"})

        check()
