"""Requests generated from the API's own document: whatever is sent, the answer is one that the document describes."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

EXAMPLES = 3  # of each operation and mode


def run_all(schema, mode, *, examples=EXAMPLES, **headers):
    """Call every operation with generated values, with all of schemathesis's checks. Returns how many were called."""
    called = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case):
            case.call_and_validate(headers=headers)

        check()
        called += 1
    return called


@pytest.fixture
def schema(filled):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", filled.app)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_with_a_token(filled, schema, mode):
    assert run_all(schema, mode, Authorization=f"Bearer {filled.make_token()}") > 10


def test_without_a_token(schema):
    assert run_all(schema, GenerationMode.POSITIVE, examples=1) > 10  # refused before a value is read
