"""The command that resumes the chain."""

from __future__ import annotations

from pipeline.infra import redis_keys
from pipeline.processing.failure_limit import get_chain_stop, stop_chain

DIED = {"stage": "validate", "reason": "internal_error", "detail": {"error": "AttributeError"}}


def test_a_chain_that_stands_goes_on_and_its_hooks_may_die(shell, installed):
    redis = installed.process.redis
    stop_chain(redis, [DIED] * 30, 5)
    assert shell.said("status").startswith("1 thing needs you")

    assert "The chain runs again." in shell.said("chain", "resume")

    assert get_chain_stop(redis) is None
    assert redis.ttl(redis_keys.FAILURE_LIMIT_OVERRIDE) > 3000


def test_what_stopped_it_is_in_the_document(shell, installed):
    stop_chain(installed.process.redis, [DIED] * 30, 5)

    assert shell.json("status")["stopped"]["error"] == "AttributeError"
    assert shell.json("chain", "resume")["stopped"]["hooks"] == 30


def test_a_chain_that_does_not_stand_says_so(shell):
    assert "was not stopped" in shell.said("chain", "resume")
