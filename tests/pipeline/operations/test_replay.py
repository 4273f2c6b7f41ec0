"""Dead letters are replayed under their old ids."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY
from pipeline.inbox import poison, stream
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import DeadLetterSummary, list_dead_letters
from pipeline.ledger.schema import core
from pipeline.operations.replay import replay, replay_internal_errors
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.builders import NOW
from tests.pipeline.processing.entries import ORDER, clock, entry
from tests.pipeline.recording.conftest import HookRecorder


@pytest.fixture
def recorder(engine):
    return HookRecorder(engine)


@pytest.fixture
def redis(redis_client):
    return redis_client


def record_entries(engine, *entries):
    raws = {one.entry_id: (one.raw, one.query) for one in entries}
    record(engine, validate_batch(decode_batch(entries, 1, clock), clock), raws, clock)


def dead(engine):
    with reading(engine) as conn:
        return list_dead_letters(conn)


def replay_all(engine, redis):
    with writing(engine) as conn:
        return [replay(conn, redis, one, NOW) for one in list_dead_letters(conn)]


def back(redis):
    """What is in the inbox now, taken out."""
    found = stream.read(redis, 100, 10**7)
    stream.remove(redis, [one.entry_id for one in found])
    return found


@pytest.mark.parametrize("given", [{"raw": b"\xff{"}, {"raw": b"", "query": "a=%ff"}, {"raw": b"", "version": 1}])
def test_a_hook_is_replayed_as_it_was_received(recorder, redis, given):
    first = entry(**{"raw": b"", **given}, number=4)
    record_entries(recorder.engine, first)

    assert replay_all(recorder.engine, redis) == [True]

    (again,) = back(redis)
    same = ("receipt", "store", "version", "event", "received_at", "raw", "query")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    assert again.source == "replay"


def test_a_hook_that_dies_again_is_the_same_dead_hook(recorder, redis):
    record_entries(recorder.engine, entry(b"{"))
    for _ in range(2):
        replay_all(recorder.engine, redis)
        record_entries(recorder.engine, *back(redis))

    assert [(row.receipt, row.times, row.replayed_at) for row in recorder.rows(core.DeadHook)] == [("r1", 3, None)]


def test_a_hook_that_became_an_event_is_no_longer_listed(recorder, redis):
    record_entries(recorder.engine, entry(ORDER, store="later"))
    recorder.change_store(name="later")
    replay_all(recorder.engine, redis)
    record_entries(recorder.engine, *back(redis))

    assert dead(recorder.engine) == []
    assert [(row.source, row.received_at) for row in recorder.rows(core.Event)] == [("replay", NOW + 1)]


def test_a_replay_of_an_event_that_another_hook_reported_is_a_duplicate(recorder, redis):
    record_entries(recorder.engine, entry(ORDER, store="later", number=1))
    recorder.change_store(name="later")
    record_entries(recorder.engine, entry(ORDER, store="later", number=2))
    replay_all(recorder.engine, redis)
    record_entries(recorder.engine, *back(redis))

    assert len(recorder.rows(core.Event)) == 1
    assert dead(recorder.engine) == []


def test_a_replayed_poison_hook_gets_new_tries(recorder, redis):
    killing = entry(b"kills")
    for token in range(poison.MAX_TRIES + 1):
        poison.split_poison(redis, [killing], token)
    record_entries(recorder.engine, killing)
    replay_all(recorder.engine, redis)

    now, too_often = poison.split_poison(redis, back(redis), 9)
    assert (len(now), too_often) == (1, [])


@pytest.mark.parametrize("kind", ["hook", "delivery"])
def test_a_missing_dead_letter_cannot_be_replayed(recorder, redis, kind):
    gone = DeadLetterSummary(NOW, kind, 99, "acme", "order_new", "decode", "not_json")

    with writing(recorder.engine) as conn:
        assert not replay(conn, redis, gone, NOW)
    assert back(redis) == []


def test_a_delivery_is_pending_again_in_its_old_place(recorder, redis):
    record_entries(recorder.engine, entry(ORDER))
    with recorder.engine.begin() as conn:
        conn.execute(core.Delivery.__table__.update().values(status="dead", done_at=NOW, reason="invalid"))
    before = [(row.id, row.message_id, row.lane) for row in recorder.rows(core.Delivery)]

    assert replay_all(recorder.engine, redis) == [True, True]

    after = recorder.rows(core.Delivery)
    assert [(row.id, row.message_id, row.lane) for row in after] == before
    assert {(row.status, row.done_at, row.reason) for row in after} == {("pending", None, None)}


def test_a_delivery_is_sent_again_as_a_replay_sends_it(recorder, redis):
    """Behind live messages of others, with a profile of today, and marked."""
    record_entries(recorder.engine, entry(ORDER))
    with recorder.engine.begin() as conn:
        conn.execute(core.Delivery.__table__.update().values(status="dead", done_at=NOW, reason="invalid"))
        conn.execute(core.Person.__table__.update().values(attributes={"store": "later"}))

    replay_all(recorder.engine, redis)

    sent = {row.kind: row for row in recorder.rows(core.Delivery)}
    assert {(row.priority, row.replayed_at) for row in sent.values()} == {(BACKFILL_PRIORITY, NOW)}
    assert sent["profile"].message["data"]["store"] == "later"


def fail(recorder, number, **detail):
    hook = recorder.hook("order_new", {}, receipt=f"r{number}")
    head = {name: hook[name] for name in ("entry_id", "receipt", "store", "version", "event", "received_at", "source")}
    recorder.record(failed=[{**head, "stage": "validate", "reason": "internal_error", "detail": detail}])


def test_hooks_that_died_in_another_release_are_replayed_oldest_first_up_to_a_limit(recorder, redis):
    for number, release in enumerate(["one", "two", None, "one", "one"]):
        fail(recorder, number, error="KeyError", **({"release": release} if release else {}))

    later = NOW + 60_000_001
    assert replay_internal_errors(recorder.engine, redis, "two", 3, later) == ["r0", "r2", "r3"]
    assert [one.receipt for one in back(redis)] == ["r0", "r2", "r3"]


def test_a_hook_that_has_just_died_is_not_replayed_for_a_minute(recorder, redis):
    fail(recorder, 1, error="KeyError", release="one")

    assert replay_internal_errors(recorder.engine, redis, "two", 3, NOW + 60_000_000) == []
