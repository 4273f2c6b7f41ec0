"""The tick sends the sweeps that have something to do, and no others."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pipeline.infra import redis_keys
from pipeline.ledger.engine import make_engine
from tasks import process, search, sweeps
from tasks.config import BACKFILL, DELIVERIES, HOOKS, WOKEN_SWEEPS
from tasks.worker.base import TaskFailed
from tests.tasks.inline_worker import fill_queue, take_all_messages


@pytest.fixture
def resting(installed):
    """An installation without anything to do, of which every sweep was sent a moment ago."""
    search.fill()
    installed.process.redis.set(redis_keys.ALL_SWEEPS, 1)
    return installed


def sent():
    return {message.task for queue in (BACKFILL, DELIVERIES, HOOKS) for message in take_all_messages(queue)}


def test_nothing_is_sent_while_nothing_is_due(resting):
    sweeps.tick()

    assert sent() == set()


def test_a_hook_in_the_inbox_wakes_the_sweep_of_the_hooks_and_no_other(resting):
    resting.process.redis.xadd(redis_keys.INBOX, {"raw": "x"})

    sweeps.tick()

    assert sent() == {"hooks.sweep"}


def test_a_sweep_is_sent_no_more_often_than_its_interval(resting):
    resting.process.redis.xadd(redis_keys.INBOX, {"raw": "x"})
    sweeps.tick()
    sent()

    sweeps.tick()

    assert sent() == set()
    assert 1_000 < resting.process.redis.pttl(redis_keys.sweep_sent("hooks.sweep")) <= 1_800


def test_every_sweep_is_sent_now_and_then_whatever_is_due(resting):
    resting.process.redis.delete(redis_keys.ALL_SWEEPS)

    sweeps.tick()

    assert sent() == set(WOKEN_SWEEPS)


def test_every_sweep_is_sent_while_the_ledger_cannot_be_read(resting, tmp_path):
    context = replace(resting.process, engine=make_engine(f"sqlite:///{tmp_path}/nothing/here.db"))
    process._contexts[os.getpid()] = context

    with pytest.raises(TaskFailed):
        sweeps.tick()

    assert sent() == set(WOKEN_SWEEPS)


def test_nothing_is_sent_to_a_queue_that_no_worker_consumes(resting):
    resting.process.redis.xadd(redis_keys.INBOX, {"raw": "x"})
    fill_queue(HOOKS)

    sweeps.tick()

    assert "hooks.sweep" not in sent()


def test_the_tick_looks_for_every_sweep_that_it_sends():
    assert set(sweeps.LOOKS) == set(WOKEN_SWEEPS)
