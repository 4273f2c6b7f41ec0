"""What a batch reads before it writes."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.sql.tables import chunks
from pipeline.recording.load import find_existing_profiles, find_known_events
from pipeline.recording.load_stores import load_stores_by_name
from tests.builders import NOW, customer, gift_info, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder


def test_chunks_fit_a_statement_and_leave_nothing_out():
    parts = list(chunks(range(1000)))

    assert max(map(len, parts)) < 1000
    assert [number for part in parts for number in part] == list(range(1000))


def test_nothing_has_no_chunks():
    assert list(chunks([])) == []


def test_a_store_comes_with_its_connections_paused_ones_too(engine):
    HookRecorder(engine, connections=2, lanes=3)
    with writing(engine) as conn:
        conn.execute(core.StoreConnection.__table__.update().values(status="paused"))
        found = load_stores_by_name(conn, {"acme", "nobodys"})

    assert found.keys() == {"acme"}
    assert found["acme"].connections == ((1, 3), (2, 3))


def test_an_event_is_known_in_its_own_store_only(engine):
    recorder = HookRecorder(engine)
    recorder.record_one("order_new", order(), receipt="r1")
    with reading(engine) as conn:
        keys = {(store, key) for store in (1, 2) for key in ("order_new:7015", "order_new:1")}
        known = find_known_events(conn, keys)

    assert [(key, known_event.receipt) for key, known_event in known.items()] == [((1, "order_new:7015"), "r1")]


@pytest.mark.parametrize("sent", [False, True])
def test_a_profile_counts_whether_it_waits_or_has_been_sent(engine, sent):
    recorder = HookRecorder(engine)
    recorder.record_one("customer_new", customer())
    if sent:
        with writing(engine) as conn:
            conn.execute(core.Delivery.__table__.update().values(status="sent", done_at=NOW))
            conn.execute(insert(core.ProfileSent).values(connection_id=1, person_id=1))
    with reading(engine) as conn:
        assert find_existing_profiles(conn, {1, 2}) == {(1, 1)}


def test_a_profile_that_was_refused_does_not_count(engine):
    recorder = HookRecorder(engine)
    recorder.record_one("customer_new", customer())
    with writing(engine) as conn:
        conn.execute(core.Delivery.__table__.update().values(status="dead", done_at=NOW))
    with reading(engine) as conn:
        assert find_existing_profiles(conn, {1}) == set()


def test_a_batch_reads_everything_before_it_writes_anything(engine):
    recorder = HookRecorder(engine)
    gift = subscription(subscription_gift_info=gift_info())
    recorder.record(recorder.hook("shipment_shipped", shipment()), recorder.hook("order_new", order()))
    batch = [
        recorder.hook(*body) for body in (("subscription_new", gift), ("order_new", order()), ("order_updated", {}))
    ]
    refused = recorder.hook("order_new", order(), version=9)
    statements = []
    event.listen(engine, "before_cursor_execute", lambda _conn, _cursor, statement, *_: statements.append(statement))
    recorder.record(*batch, refused)
    kinds = [sql.split()[0] for sql in statements if "sqlite_sequence" not in sql]
    *kinds, promoted = [kind for kind in kinds if kind in {"SELECT", "INSERT", "UPDATE", "DELETE"}]

    assert promoted == "SELECT"  # which deliveries of a backfill are to leave now
    assert kinds == sorted(kinds, key=lambda kind: kind != "SELECT")


def test_a_large_batch_reads_in_as_many_statements_as_a_small_one(engine):
    def reads(recorder, count, first):
        seen = []

        def listener(conn, cursor, statement, *_):
            seen.append(statement)

        hooks = [
            recorder.hook("order_new", order(id=number, customer=customer(id=number, email=f"p{number}@example.com")))
            for number in range(first, first + count)
        ]
        event.listen(engine, "before_cursor_execute", listener)
        recorder.record(*hooks)
        event.remove(engine, "before_cursor_execute", listener)
        return len([one for one in seen if one.lstrip().startswith(("SELECT", "WITH"))])

    recorder = HookRecorder(engine)

    assert reads(recorder, 100, 1000) <= reads(recorder, 10, 10)
