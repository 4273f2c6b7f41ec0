"""A replay is sent in slices, behind what is live, once each, and can be stopped and continued by any worker."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, update

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY, Sent
from pipeline.inbox import stream
from pipeline.ledger.deliveries import acquire_lane, claim, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import ActivityFilter, list_activity
from pipeline.ledger.replays import Selection, list_working, tidy_replays
from pipeline.ledger.schema import core
from pipeline.ledger.schema.replays import Replay, ReplayItem
from pipeline.operations.replays import send
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.builders import NOW
from tests.pipeline.processing.entries import ORDER, clock, entry

EVERYTHING = Selection("filter")


def finish(replays, replay_id):
    """Turns of the replay and of the lane, until it has ended."""
    sent = []
    for _ in range(50):
        if replays.turn(replay_id).state == "done" and replays.find(replay_id).state == "done":
            return sent
        sent += replays.send()
    raise AssertionError(replays.find(replay_id))


def test_refused_messages_are_sent_once_with_their_old_ids(replays_on_both):
    replays = replays_on_both
    replays.sell(1, 2, 1)
    refused = [message.message_id for message in replays.send(refuses=True)]
    replay_id = replays.begin()

    sent = finish(replays, replay_id)

    assert [message.message_id for message in sent] == refused
    row = replays.find(replay_id)
    assert (row.state, row.done, row.failed, row.left, set(replays.statuses())) == ("done", 6, 0, 0, {"sent"})


def test_what_is_refused_again_has_failed(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replay_id = replays.begin()
    replays.turn(replay_id)
    replays.send(refuses=True)
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert (row.state, row.done, row.failed) == ("done", 0, 2)


def test_delivered_again_messages_keep_their_ids(replays):
    replays.sell(1)
    first = [message.message_id for message in replays.send()]

    assert [message.message_id for message in finish(replays, replays.begin(EVERYTHING, again=True))] == first


def test_each_person_gets_theirs_in_the_old_order(replays, monkeypatch):
    monkeypatch.setattr(send, "SLICE", 2)
    monkeypatch.setattr(send, "MAX_AHEAD", 3)
    replays.sell(1, 2, 1, 2, 1)
    refused = [message.delivery_id for message in replays.send(refuses=True)]

    assert [message.delivery_id for message in finish(replays, replays.begin())] == refused


def test_only_some_messages_are_ahead_in_the_lane(replays, monkeypatch):
    monkeypatch.setattr(send, "SLICE", 2)
    monkeypatch.setattr(send, "MAX_AHEAD", 3)
    replays.sell(*range(1, 9))
    replays.send(refuses=True)
    replays.turn(replays.begin())

    assert replays.statuses().count("pending") == 3


def test_live_messages_of_others_are_sent_first(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.turn(replays.begin())
    replays.sell(2, first=200)

    people = [message.person.id for message in replays.send()]

    assert people == [2, 2, 1, 1]


def test_a_live_message_of_the_same_person_does_not_overtake_what_is_replayed(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.sell(1, first=200)
    replays.turn(replays.begin())

    ids = [message.delivery_id for message in replays.send()]

    assert ids == sorted(ids)
    assert {row.priority for row in replays.messages()} == {LIVE_PRIORITY}


def test_an_old_profile_is_sent_with_the_attributes_of_today(replays):
    replays.sell(1)
    replays.send(refuses=True)
    with writing(replays.shop.engine) as conn:
        conn.execute(update(core.Person).values(attributes={"first_name": "Robin", "new_since": 1}))
    replays.turn(replays.begin())

    data = replays.messages()[0].message["data"]

    assert (data["first_name"], data["last_name"], "new_since" in data) == ("Robin", None, False)


def test_what_was_sent_by_other_means_meanwhile_is_left_out(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replay_id = replays.begin()
    replays.change(core.Delivery, status="sent", reason=None)
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert (row.state, row.left_out, row.left) == ("done", 2, 0)


def test_messages_about_people_withheld_meanwhile_do_not_leave(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replay_id = replays.begin()
    replays.turn(replay_id)
    replays.change(core.Delivery, status="withheld", done_at=NOW)
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert (row.state, row.left_out) == ("done", 2)


def describe(row):
    return row.status, row.reason, row.detail, row.notes, row.done_at


@pytest.mark.parametrize("again", [False, True])
def test_a_stop_takes_back_what_has_not_left(replays, again):
    replays.sell(1, 2)
    replays.send(refuses=not again)
    replays.change(core.Delivery, detail="name: too long", notes=["cut"])
    before = [describe(row) for row in replays.messages()]
    replay_id = replays.begin(EVERYTHING, again=again)
    replays.turn(replay_id)
    replays.stop(replay_id)
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert [describe(one) for one in replays.messages()] == before
    assert (row.state, row.taken_back, row.done, row.ended_at) == ("stopped", 4, 0, NOW)


def test_a_stop_waits_for_what_is_being_sent(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replay_id = replays.begin()
    replays.turn(replay_id)
    with writing(replays.shop.engine) as conn:
        taken = acquire_lane(conn, replays.messages()[0].connection_id, 0, NOW)
        claimed = claim(conn, taken, 1, BACKFILL_PRIORITY)
    replays.stop(replay_id)
    replays.turn(replay_id)
    assert replays.find(replay_id).state == "stopping"
    with writing(replays.shop.engine) as conn:
        settle(conn, taken, [(message.delivery_id, Sent()) for message in claimed], [], NOW)
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert (row.state, row.done, row.taken_back) == ("stopped", 1, 1)


def test_a_worker_that_dies_before_its_commit_leaves_nothing_half_done(replays):
    replays.sell(1, 2)
    replays.send(refuses=True)
    replay_id = replays.begin()

    def die(*_):
        raise KeyboardInterrupt

    event.listen(replays.shop.engine, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        replays.turn(replay_id)
    event.remove(replays.shop.engine, "commit", die)

    assert set(replays.statuses()) == {"dead"}
    assert len(finish(replays, replay_id)) == 4


def test_two_replays_of_the_same_send_it_once(replays):
    replays.sell(1)
    replays.send(refuses=True)
    first, second = replays.begin(), replays.begin()
    replays.turn(first)
    replays.turn(second)

    assert len(replays.send()) == 2
    assert (replays.find(first).total, replays.find(second).left_out) == (2, 2)


def test_the_feed_lists_what_a_replay_has_touched(replays):
    replays.sell(1, 2)
    replays.send(refuses=True)
    replay_id = replays.begin(Selection("events", event_ids=(2,)))
    finish(replays, replay_id)

    with reading(replays.shop.engine) as conn:
        found = list_activity(conn, ActivityFilter((1,), replay_id=replay_id), lambda *_: "")
    assert [one.id for one in found] == [2]


def test_only_replays_with_something_to_do_are_working(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.count()
    replay_id = replays.begin()
    with reading(replays.shop.engine) as conn:
        assert list_working(conn) == [replay_id]
    finish(replays, replay_id)

    with reading(replays.shop.engine) as conn:
        assert list_working(conn) == []


def record_hooks(replays, *entries):
    raws = {one.entry_id: (one.raw, one.query) for one in entries}
    record(replays.shop.engine, validate_batch(decode_batch(entries, 1, clock), clock), raws, clock)


def hooks_in_inbox(replays):
    found = stream.read(replays.shop.redis, 100, 10**7)
    stream.remove(replays.shop.redis, [one.entry_id for one in found])
    return found


@pytest.fixture
def dead_hook(replays):
    """A hook that could not be read when it came, of a store that there is now."""
    replays.shop.recorder.change_store(name="later")
    record_hooks(replays, entry(ORDER, number=4))
    replays.shop.recorder.change_store(name="acme")


def test_a_dead_hook_is_read_again_as_it_came(replays, dead_hook):
    row = replays.count(Selection("hooks"), now=NOW + 2000)
    assert (row.counts.hooks, row.counts.messages) == (1, 0)
    replay_id = replays.begin_row(row)
    replays.turn(replay_id)
    (again,) = hooks_in_inbox(replays)
    assert (again.receipt, again.received_at, again.source) == ("r4", NOW + 4, "replay")

    record_hooks(replays, again)
    replays.turn(replay_id)

    found = replays.find(replay_id)
    with reading(replays.shop.engine) as conn:
        touched = conn.execute(select(ReplayItem.event_id)).scalar()
    assert (found.state, found.done, touched) == ("done", 1, 1)


def test_a_hook_that_dies_again_has_failed(replays):
    record_hooks(replays, entry(b"{"))
    replay_id = replays.begin_row(replays.count(Selection("hooks"), now=NOW + 2000))
    replays.turn(replay_id)
    raws = hooks_in_inbox(replays)
    record(
        replays.shop.engine,
        validate_batch(decode_batch(raws, 2, clock), clock),
        {one.entry_id: (one.raw, one.query) for one in raws},
        lambda: NOW + 5000,
    )
    replays.turn(replay_id)

    row = replays.find(replay_id)
    assert (row.state, row.failed) == ("done", 1)


def test_hooks_wait_while_live_ones_fill_the_inbox(replays, dead_hook):
    replay_id = replays.begin_row(replays.count(Selection("hooks"), now=NOW + 2000))
    for number in range(replays.context.settings.batch):
        stream.add(replays.shop.redis, entry(ORDER, number=100 + number))
    replays.turn(replay_id)

    assert stream.depth(replays.shop.redis) == replays.context.settings.batch
    assert replays.find(replay_id).state == "running"


def test_what_was_counted_and_never_begun_is_deleted_after_a_while(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.count()
    for _ in range(2):
        with writing(replays.shop.engine) as conn:
            tidy_replays(conn, NOW + 1, NOW - 1, NOW)

    assert (replays.shop.rows(Replay), replays.shop.rows(ReplayItem)) == ([], [])
