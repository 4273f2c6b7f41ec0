from __future__ import annotations

from pipeline.processing.failure_limit import resume_chain, stop_chain
from pipeline.processing.release import get_running_version
from tests.pipeline.attention.conftest import MINUTE

DIED = {"stage": "validate", "reason": "internal_error", "detail": {"error": "AttributeError"}}


def test_a_chain_that_stands_needs_a_person_and_says_which_version_and_error(attention):
    stop_chain(attention.redis, [DIED] * 30, attention.clock - MINUTE)

    (item,) = attention.list()

    assert (item.cause, item.since) == ("release_broken", attention.clock - MINUTE)
    assert f"version {get_running_version()}" in item.headline
    assert "AttributeError" in item.headline


def test_a_chain_that_goes_on_again_needs_no_one(attention):
    stop_chain(attention.redis, [DIED] * 30, attention.clock)
    resume_chain(attention.redis)

    assert attention.list() == []
