"""After a clock was set back, nothing waits for the difference; real Valkey, both databases."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import select

from pipeline.infra import redis_keys
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.clock_correction import WAIT_COLUMNS
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Base, Lane
from pipeline.operations.clock_set_back import MAX_LEASE_TTL_MS, repair_clock_set_back
from tests.pipeline.ledger.rows import add_connection, add_store

HOUR_S = 3_600
HOUR_US = HOUR_S * 1_000_000


def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def redis(redis_client):
    look_marks(redis_client, ahead_s=0)
    return redis_client


def look_marks(redis, ahead_s: float) -> None:
    """What the clocks have shown before."""
    moment = f"{time.time() + ahead_s:.6f}"
    redis.hset(redis_keys.CLOCK_MARKS, mapping={"redis": moment, "host:here": moment})


def set_back(redis, seconds: float = HOUR_S) -> None:
    """As an operator, or a time server, does: every key and every mark is so much further ahead than before."""
    for key in redis.scan_iter("cratewire:*"):
        if (left := redis.pttl(key)) > 0:
            redis.pexpire(key, left + round(seconds * 1000))
    look_marks(redis, ahead_s=seconds)


def a_lane(engine, next_attempt_at: int) -> None:
    with writing(engine) as conn:
        link = add_connection(conn, add_store(conn, "acme").id)
        conn.execute(Lane.__table__.insert().values(connection_id=link.id, lane=0, next_attempt_at=next_attempt_at))


def next_attempt(engine) -> int:
    with reading(engine) as conn:
        return conn.execute(select(Lane.next_attempt_at)).scalar_one()


def test_clocks_that_move_forward_change_nothing(redis, engine):
    a_lane(engine, at := now() + HOUR_US)

    assert repair_clock_set_back(redis, engine, "here", now).max_s == 0
    assert next_attempt(engine) == at


def test_due_times_in_the_ledger_move_back_with_the_clock(redis, engine):
    a_lane(engine, now() + HOUR_US + 5_000_000)
    set_back(redis)

    assert repair_clock_set_back(redis, engine, "here", now).max_s == pytest.approx(HOUR_S, abs=5)
    assert next_attempt(engine) < now() + 10_000_000


def test_every_column_that_holds_a_due_time_is_corrected():
    due = {f"{table}.{column.name}" for table, held in Base.metadata.tables.items() for column in held.columns}
    due = {
        name for name in due if re.search(r"\.(next_|wait_|locked_|acknowledge_at|update_at|audit_at|wanted_at)", name)
    }

    assert {f"{column.class_.__tablename__}.{column.key}" for column, _ in WAIT_COLUMNS} == due


def test_a_set_back_is_corrected_once(redis, engine):
    set_back(redis)

    assert [repair_clock_set_back(redis, engine, "here", now).max_s > 0 for _ in range(2)] == [True, False]


def test_a_new_host_has_no_mark(redis, engine):
    assert repair_clock_set_back(redis, engine, "another", now).max_s == 0


def test_keys_in_redis_expire_no_later_than_planned(redis, engine):
    redis.set(redis_keys.WAKEUP, 1, px=5_000)
    set_back(redis)
    repair_clock_set_back(redis, engine, "here", now)

    assert redis.pttl(redis_keys.WAKEUP) < 10_000


def test_a_budget_with_calls_in_the_future_can_be_used_again(redis, engine):
    name = redis_keys.budget("customerio", "1")
    later = Budget(redis, name, 1.0, now=lambda: now() + HOUR_US)
    redis.lpush(f"{name}:window", time.time() + HOUR_S)
    set_back(redis)
    stuck = later.acquire()
    repair_clock_set_back(redis, engine, "here", now)

    assert (stuck > 0, Budget(redis, name, 1.0).acquire()) == (True, 0.0)


def test_a_pause_of_an_account_ends_as_planned(redis, engine):
    budget = Budget(redis, redis_keys.budget("customerio", "1"), 1.0)
    budget.hold_off(30.0)
    set_back(redis)
    repair_clock_set_back(redis, engine, "here", now)

    assert 0 < budget.pause_left_s() < 40


def test_a_lease_with_too_long_a_life_is_shortened(redis, engine):
    redis.set(redis_keys.lane_lease(1, 0), "of a dead worker", ex=HOUR_S)
    repair_clock_set_back(redis, engine, "here", now)

    assert redis.pttl(redis_keys.lane_lease(1, 0)) <= MAX_LEASE_TTL_MS


def test_a_wait_longer_than_any_that_is_written_is_ended(redis, engine):
    a_lane(engine, now() + 30 * 24 * HOUR_US)
    repair_clock_set_back(redis, engine, "here", now)

    assert next_attempt(engine) <= now()
