"""The fences of the inbox: a chain's of its own partition, and all of them at once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from pipeline.core.partitions import MAX_PARTITIONS
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.fence import advance_fence
from pipeline.ledger.inbox_fence import find_settled_event_id, get_fence_name, lock_inbox
from pipeline.ledger.schema.fences import Fence
from tests.waiting import wait_until


def test_the_fence_of_partition_0_is_that_of_before_there_were_partitions():
    assert [get_fence_name(0), get_fence_name(3)] == ["inbox", "inbox:3"]


def test_nothing_is_settled_in_an_empty_ledger(engine):
    with writing(engine) as conn:
        assert find_settled_event_id(conn) == 0


def test_locking_twice_changes_no_fence(engine):
    with writing(engine) as conn:
        advance_fence(conn, get_fence_name(2), 7)
    for _ in range(2):
        with writing(engine) as conn:
            lock_inbox(conn)
    with writing(engine) as conn:
        assert conn.execute(select(Fence.token).where(Fence.name == get_fence_name(2))).scalar() == 7


@pytest.mark.parametrize("partition", [0, 5, MAX_PARTITIONS - 1])
def test_no_chain_records_while_the_inbox_is_locked_also_in_a_partition_that_was_never_used(empty_postgres, partition):
    engine = make_engine(empty_postgres)
    done = threading.Event()

    def record():
        with writing(engine) as conn:
            advance_fence(conn, get_fence_name(partition), 1)
        done.set()

    with writing(engine) as conn:
        lock_inbox(conn)
        thread = threading.Thread(target=record)
        thread.start()
        is_recorded_meanwhile = done.wait(0.3)
    thread.join()
    engine.dispose()

    assert not is_recorded_meanwhile
    assert done.is_set()


def test_two_partitions_advance_their_fences_at_the_same_time(empty_postgres):
    engine = make_engine(empty_postgres)
    done = threading.Event()

    def record():
        with writing(engine) as conn:
            advance_fence(conn, get_fence_name(1), 1)
        done.set()

    with writing(engine) as conn:
        advance_fence(conn, get_fence_name(0), 1)
        thread = threading.Thread(target=record)
        thread.start()
        is_recorded_meanwhile = wait_until(done.is_set)
    thread.join()
    engine.dispose()

    assert is_recorded_meanwhile
