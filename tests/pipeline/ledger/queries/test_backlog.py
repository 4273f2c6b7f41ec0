"""What waits, lane by lane."""

from __future__ import annotations

import pytest

from pipeline.ledger.deliveries import HeldLane, acquire_lane, pause_connection, postpone_lane
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import Backlog, ConnectionSummary, LaneBacklog, load_backlog
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_person, add_store


@pytest.fixture
def link(engine):
    with writing(engine) as db:
        store = add_store(db)
        made = add_connection(db, store.id)
        add_person(db, store.id)
    return made


def found(engine):
    with reading(engine) as db:
        return load_backlog(db)


def add(engine, link, count, **more):
    with writing(engine) as db:
        add_deliveries(db, link, 1, count, **more)


def test_an_empty_ledger_has_none(engine):
    assert found(engine) == Backlog((), (), 0)


def test_a_connection_without_anything_to_do_is_named_all_the_same(engine, link):
    assert found(engine) == Backlog(
        (ConnectionSummary(link.id, "sunny-box", "customerio", "env-1", active=True, dead=0),), (), 0
    )


def test_every_lane_says_how_much_waits_and_since_when(engine, link):
    add(engine, link, 3)
    add(engine, link, 1, lane=1, status="sending")

    assert found(engine).lanes == (LaneBacklog(link.id, 0, 3, NOW, 0), LaneBacklog(link.id, 1, 1, NOW, 0))


def test_what_has_left_is_not_looked_at(engine, link):
    add(engine, link, 2, status="sent", done_at=NOW)
    add(engine, link, 1, status="dead", done_at=NOW)

    assert found(engine).lanes == ()
    assert found(engine).connections[0].dead == 1


def test_a_lane_that_rests_says_until_when(engine, link):
    add(engine, link, 1)
    with writing(engine) as db:
        taken: HeldLane = acquire_lane(db, link.id, 0, NOW)
        postpone_lane(db, taken, NOW + 5, 1, "http_503")

    assert found(engine).lanes[0].next_attempt_at == NOW + 5


def test_a_paused_connection_is_not_active(engine, link):
    with writing(engine) as db:
        pause_connection(db, link.id, "http_401", NOW)

    assert not found(engine).connections[0].active
