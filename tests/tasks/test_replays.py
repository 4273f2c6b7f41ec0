"""The sweep takes every replay a turn further, through the broker and the lanes, until it has ended."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import Selection, find_replay, insert_replay, start_replay
from pipeline.ledger.schema import core
from pipeline.ledger.schema.replays import Replay
from tasks import deliveries, replays
from tests.installation import order_hook
from tests.tasks.inline_worker import run_all, take_all_messages

REFUSED = Selection("refused")


@pytest.fixture
def replay_id(installed, track):
    """A replay of three orders that were refused, not counted yet."""
    installed.connect(track.config)
    installed.record(*(order_hook(number) for number in range(3)))
    process = installed.process
    with writing(process.engine) as conn:
        conn.execute(update(core.Delivery).values(status="dead", reason="name_too_long", done_at=process.now()))
        return insert_replay(conn, 1, REFUSED, delivers_again=False, user_id=None, now=process.now())


def state(installed, replay_id):
    with reading(installed.process.engine) as conn:
        row = find_replay(conn, replay_id)
    return row and row.state


def begin(installed, replay_id):
    replays.sweep()
    run_all("backfill")
    with writing(installed.process.engine) as conn:
        assert start_replay(conn, replay_id, installed.process.now())


def test_it_is_counted_and_waits_to_be_begun(installed, replay_id):
    replays.sweep()

    assert run_all("backfill") == ["replays.run"]
    assert state(installed, replay_id) == "counted"


def test_once_begun_everything_arrives_once(installed, replay_id, track):
    begin(installed, replay_id)
    for _ in range(3):
        replays.sweep()
        run_all("backfill")
        deliveries.sweep()
        run_all("deliveries")

    arrived = [one for call in track.calls for one in call.delivered() if one[1] == "event"]
    assert (state(installed, replay_id), len(arrived)) == ("done", 3)


def test_a_replay_that_a_worker_has_is_not_started_again(installed, replay_id):
    installed.process.redis.set(redis_keys.replay_lease(replay_id), "another worker", px=5000)
    replays.sweep()

    assert take_all_messages("backfill") == []


def test_one_that_was_never_begun_is_deleted(installed, replay_id):
    replays.sweep()
    run_all("backfill")
    long_ago = installed.process.now() - 2 * replays.NEVER_BEGUN_US
    with writing(installed.process.engine) as conn:
        conn.execute(update(Replay).values(created_at=long_ago))

    replays.tidy()

    assert installed.rows(Replay) == []
