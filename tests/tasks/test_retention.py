"""The sweep that deletes old data runs in one process at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.infra import redis_keys
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import DeadHook
from tasks import retention

DEAD = {"store": "acme", "version": 1, "event": "x", "receipt": "r", "stage": "decode", "reason": "empty", "raw": b""}


@pytest.fixture
def old(installed):
    """An installation with a dead hook that is older than any is kept."""
    with writing(installed.process.engine) as conn:
        conn.execute(insert(DeadHook).values(**DEAD, detail={}, received_at=1, died_at=1))
    return installed


def test_the_sweep_deletes_what_is_old(old):
    retention.sweep()

    assert old.rows(DeadHook) == []


def test_a_second_sweep_leaves_the_work_to_the_first(old):
    old.process.redis.set(redis_keys.RETENTION_LEASE, "another process")

    retention.sweep()

    assert len(old.rows(DeadHook)) == 1
