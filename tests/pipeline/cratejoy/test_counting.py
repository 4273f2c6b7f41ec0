"""Every request that left is counted by the status of its answer, and none that did not leave."""

from __future__ import annotations

from contextlib import suppress

import pytest

from pipeline.core.errors import CratewireError
from pipeline.infra.http.client import HTTPResponse
from pipeline.infra.metrics import REGISTRY
from tests.pipeline.cratejoy.fake_http import FakeRateLimit, answer, page, store


def counted():
    (family,) = [one for one in REGISTRY.collect() if one.name == "cratewire_store_calls"]
    return {one.labels["status"]: one.value for one in family.samples}


@pytest.mark.parametrize(
    ("answered", "status"),
    [(page(1), "200"), (answer(429, "slow down"), "429"), (answer(503, "down"), "503"), (HTTPResponse(None), "none")],
)
def test_a_request_counts_under_its_status(answered, status):
    before = counted()
    asked, _ = store(answered)
    with suppress(CratewireError):
        asked.page("customers")

    assert {name: value - before.get(name, 0) for name, value in counted().items() if value != before.get(name, 0)} == {
        status: 1
    }


def test_what_the_budget_held_back_is_no_request():
    before = counted()
    asked, _ = store(page(1), gate=FakeRateLimit(wait=1.0))
    with suppress(CratewireError):
        asked.page("customers")

    assert counted() == before
