"""The backlog, lane by lane."""

from __future__ import annotations

import pytest

from pipeline.ledger.deliveries import HeldLane, acquire_lane, pause_connection, postpone_lane
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import Backlog, ConnectionSummary, LaneBacklog, load_backlog
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_person, add_store


@pytest.fixture
def link(engine):
    with writing(engine) as conn:
        store = add_store(conn)
        made = add_connection(conn, store.id)
        add_person(conn, store.id)
    return made


def found(engine):
    with reading(engine) as conn:
        return load_backlog(conn)


def add(engine, link, count, **more):
    with writing(engine) as conn:
        add_deliveries(conn, link, 1, count, **more)


def test_an_empty_ledger_has_no_backlog(engine):
    assert found(engine) == Backlog((), (), 0)


def test_a_connection_without_deliveries_is_listed(engine, link):
    assert found(engine) == Backlog(
        (ConnectionSummary(link.id, "sunny-box", "customerio", "env-1", active=True, dead=0),), (), 0
    )


def test_every_lane_has_its_open_count_and_age(engine, link):
    add(engine, link, 3)
    add(engine, link, 1, lane=1, status="sending")

    assert found(engine).lanes == (LaneBacklog(link.id, 0, 3, NOW, 0), LaneBacklog(link.id, 1, 1, NOW, 0))


def test_sent_deliveries_are_not_counted(engine, link):
    add(engine, link, 2, status="sent", done_at=NOW)
    add(engine, link, 1, status="dead", done_at=NOW)

    assert found(engine).lanes == ()
    assert found(engine).connections[0].dead == 1


def test_a_postponed_lane_has_its_next_attempt(engine, link):
    add(engine, link, 1)
    with writing(engine) as conn:
        taken: HeldLane = acquire_lane(conn, link.id, 0, NOW)
        postpone_lane(conn, taken, NOW + 5, 1, "http_503")

    assert found(engine).lanes[0].next_attempt_at == NOW + 5


def test_a_paused_connection_is_not_active(engine, link):
    with writing(engine) as conn:
        pause_connection(conn, link.id, "http_401", NOW)

    assert not found(engine).connections[0].active
