"""The command that lets a chain go on."""

from __future__ import annotations

from pipeline import keys
from pipeline.chain.limit import stop, stopped

DIED = {"stage": "validate", "reason": "internal_error", "detail": {"error": "AttributeError"}}


def test_a_chain_that_stands_goes_on_and_its_hooks_may_die(shell, installed):
    redis = installed.process.redis
    stop(redis, [DIED] * 30, 5)
    assert shell.said("status").startswith("1 thing needs you")

    assert "The chain goes on." in shell.said("chain", "resume")

    assert stopped(redis) is None
    assert redis.ttl(keys.LET_DIE) > 3000


def test_what_stopped_it_is_in_the_document(shell, installed):
    stop(installed.process.redis, [DIED] * 30, 5)

    assert shell.json("status")["stopped"]["error"] == "AttributeError"
    assert shell.json("chain", "resume")["stopped"]["hooks"] == 30


def test_a_chain_that_does_not_stand_says_so(shell):
    assert "was not stopped" in shell.said("chain", "resume")
