"""The OpenAPI file is valid and true, and no request made from it causes a server error."""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

pytestmark = pytest.mark.django_db(transaction=True)
# Cases of an operation and a mode. 5,000 in all:
# SCHEMATHESIS_EXAMPLES=400 bin/test tests/providers/gateway/test_openapi.py
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))
OPERATIONS = [
    "POST /images/generations",
    "POST /images/edits",
    "POST /images/variations",
    "POST /responses",
    "GET /images/jobs/{id}",
    "DELETE /images/jobs/{id}",
    "GET /key",
    "GET /models",
    "GET /models/{id}",
]


@pytest.fixture
def schema(gateway):
    loaded = schemathesis.openapi.from_url(f"{gateway.url}/openai/v1/openapi.json")
    loaded.validate()
    return loaded


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_the_file_allows_and_what_it_does_not(gateway, schema, name, mode):
    operations = {result.ok().label: result.ok() for result in schema.get_all_operations()}
    assert sorted(operations) == sorted(OPERATIONS)
    if name in ("GET /models", "GET /key") and mode is GenerationMode.NEGATIVE:
        return  # nothing can be wrong with it

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=EXAMPLES == 8,  # the same ones in every test run; the long one finds its own
        database=None,
    )
    @given(case=operations[name].as_strategy(generation_mode=mode))
    def check(case):
        # A dry run calls no provider: what is checked is how requests are read and rejected.
        query = {**(case.query or {}), "dryRun": "true"} if name.startswith("POST") else case.query
        case.query = query
        case.call_and_validate(
            headers={"Authorization": f"Bearer {gateway.secret}"},
            checks=[not_a_server_error, response_schema_conformance, status_code_conformance],
        )

    check()
