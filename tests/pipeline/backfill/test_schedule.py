"""When a backfill begins, and that a store never has two at once."""

from __future__ import annotations

import pytest

from pipeline.backfill.schedule import OVERLAP_US, create_first_backfill, start_backfill
from pipeline.core.errors import Misconfigured
from pipeline.ledger.backfills import (
    advance_backfill,
    cancel_backfill,
    find_last_backfill,
    list_due_steps,
    pause_backfill,
    resume_backfill,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import save_store_api
from tests.builders import HOUR, NOW
from tests.pipeline.ledger.rows import add_store


@pytest.fixture
def store_id(engine):
    with writing(engine) as conn:
        store = add_store(conn)
        save_store_api(conn, store.id, b"sealed", NOW)
    return store.id


def last(engine, store_id):
    with reading(engine) as conn:
        return find_last_backfill(conn, store_id)


def change(engine, function, *arguments):
    with writing(engine) as conn:
        return function(conn, *arguments)


def test_a_backfill_begins_at_once_with_nothing_read(engine, store_id):
    made = start_backfill(engine, store_id, "all", NOW)

    row = last(engine, store_id)
    assert (row.id, row.state, row.phase, row.pages, row.next_step_at) == (made, "running", "counting", 0, NOW)


@pytest.mark.parametrize("pause", [False, True])
def test_a_second_one_is_refused_while_one_is_open(engine, store_id, pause):
    start_backfill(engine, store_id, "all", NOW)
    if pause:
        change(engine, pause_backfill, store_id, NOW)

    with pytest.raises(Misconfigured, match="running or paused"):
        start_backfill(engine, store_id, "incremental", NOW)


def test_another_begins_once_the_last_has_ended(engine, store_id):
    first = start_backfill(engine, store_id, "all", NOW)
    change(engine, cancel_backfill, store_id, NOW)

    assert start_backfill(engine, store_id, "all", NOW) > first


def test_two_stores_have_one_each(engine, store_id):
    with writing(engine) as conn:
        other = add_store(conn, "other").id
        save_store_api(conn, other, b"sealed", NOW)

    assert start_backfill(engine, store_id, "all", NOW) != start_backfill(engine, other, "all", NOW)


def test_without_keys_there_is_nothing_to_read(engine):
    with writing(engine) as conn:
        keyless = add_store(conn).id

    with pytest.raises(Misconfigured, match="Client ID"):
        start_backfill(engine, keyless, "all", NOW)


def test_connecting_again_does_not_begin_another(engine, store_id):
    change(engine, create_first_backfill, store_id, NOW)
    change(engine, cancel_backfill, store_id, NOW)

    assert change(engine, create_first_backfill, store_id, NOW) is None


def test_an_incremental_one_reads_orders_since_the_last_that_came_to_its_end(engine, store_id):
    start_backfill(engine, store_id, "all", NOW)
    with writing(engine) as conn:
        advance_backfill(conn, find_last_backfill(conn, store_id), state="done", ended_at=NOW + HOUR)

    start_backfill(engine, store_id, "incremental", NOW + 30 * HOUR)

    assert last(engine, store_id).changes_since == NOW - OVERLAP_US


def test_a_paused_one_is_not_due_and_a_resumed_one_is(engine, store_id):
    start_backfill(engine, store_id, "all", NOW)

    seen = []
    for act in (pause_backfill, resume_backfill):
        assert change(engine, act, store_id, NOW + HOUR)
        with reading(engine) as conn:
            seen.append([at for _, at in list_due_steps(conn, NOW + HOUR)])

    assert seen == [[], [NOW + HOUR]]


def test_nothing_moves_on_that_was_changed_since_it_was_read(engine, store_id):
    start_backfill(engine, store_id, "all", NOW)
    read = last(engine, store_id)

    with writing(engine) as conn:
        moved = [advance_backfill(conn, read, pages=1), advance_backfill(conn, read, pages=7)]

    assert (moved, last(engine, store_id).pages) == ([True, False], 1)


@pytest.mark.on_both_databases
@pytest.mark.parametrize("act", [pause_backfill, cancel_backfill])
def test_a_step_under_way_writes_nothing_into_a_backfill_that_was_stopped(engine, store_id, act):
    start_backfill(engine, store_id, "all", NOW)
    read = last(engine, store_id)
    change(engine, act, store_id, NOW)

    assert change(engine, lambda conn: advance_backfill(conn, read, pages=1)) is False


@pytest.mark.on_both_databases
def test_pausing_twice_or_resuming_what_runs_does_nothing(engine, store_id):
    start_backfill(engine, store_id, "all", NOW)

    done = [change(engine, act, store_id, NOW) for act in (resume_backfill, pause_backfill, pause_backfill)]

    assert done == [False, True, False]
