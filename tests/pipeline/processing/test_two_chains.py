"""Chains of two partitions record at the same time on PostgreSQL, and wait for nothing of each other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from pipeline.core.errors import BadHook, StaleFence
from pipeline.core.hooks import build_failed_hook
from pipeline.ledger.counts.fold import fold_changes
from pipeline.ledger.dictionaries import find_dictionary
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.inbox_fence import find_settled_event_id, lock_inbox
from pipeline.ledger.monitoring.activity import collect_activity
from pipeline.ledger.schema import core
from pipeline.ledger.schema.monitoring import HourlyActivity
from pipeline.recording.batch import record_batch
from tests.builders import NOW, gift_order, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder

STORES = ("acme", "bean", "crate", "dough", "ember", "fig")  # those of partition 0, then those of partition 1
BATCHES = 12


@pytest.fixture
def engine(empty_postgres):
    made = make_engine(empty_postgres)
    with writing(made) as conn:
        find_dictionary(conn, NOW)  # the first batch of a ledger puts it there, for which a second one waits
    yield made
    made.dispose()


@pytest.fixture
def recorder(engine):
    made = HookRecorder(engine, connections=2, lanes=3)
    for number, name in enumerate(STORES[1:], 2):
        made.add_store(number, name, connections=2, lanes=3)
    return made


def build_batch(recorder, partition, number):
    """Hooks of the partition's stores: people, gifts, repeats and hooks that cannot be read."""
    hooks, failed = [], []
    for store in STORES[3 * partition :][:3]:
        for step in range(3):
            order_id = 1000 * number + 10 * step
            person = {"id": 7000 + step, "email": f"person-{step}@example.com"}
            hooks += [
                recorder.hook("order_new", order(id=order_id, customer=person), store=store),
                recorder.hook("order_new", gift_order(id=order_id + 1), store=store),
                recorder.hook("subscription_new", subscription(id=order_id + 2), store=store),
                recorder.hook("shipment_shipped", shipment(id=order_id + 3), store=store),
                recorder.hook("order_new", order(id=order_id, customer=person), store=store),
            ]
        bad = recorder.hook("order_new", {}, store=store)
        failed.append(build_failed_hook(bad, "decode", BadHook("not_json", {})))
    unknown = recorder.hook("order_new", order(id=number), store=f"unknown-{partition}")
    return [*hooks, unknown], failed


def record(conn, batch, partition, token):
    hooks, failed = batch
    raws = {hook["entry_id"]: (b"raw", None) for hook in (*hooks, *failed)}
    return record_batch(conn, hooks, failed, raws, token=token, partition=partition, now=NOW + token)


def test_a_batch_is_recorded_while_one_of_another_partition_is_open(recorder, engine):
    first, second = (build_batch(recorder, partition, 1) for partition in (0, 1))
    with writing(engine) as conn:
        record(conn, first, 0, 1)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_record_alone, engine, second, 1, 1).result(timeout=30)
    with reading(engine) as conn:
        names = set(
            conn.execute(select(core.Store.name).join(core.Event, core.Event.store_id == core.Store.id)).scalars()
        )
    assert names == set(STORES)


def test_many_batches_of_two_partitions_leave_what_one_after_the_other_leaves(recorder, engine):
    """Beside them the counts are folded and the inbox is locked, as sweeps and erasures do."""
    batches = [[build_batch(recorder, partition, number) for number in range(BATCHES)] for partition in (0, 1)]
    ended = threading.Event()

    def run(partition):
        results = [_record_alone(engine, batch, partition, token) for token, batch in enumerate(batches[partition], 1)]
        return sum(result.events for result in results), sum(result.dead for result in results)

    def disturb():
        while not ended.is_set():
            with writing(engine) as conn:
                fold_changes(conn)
            with writing(engine) as conn:
                lock_inbox(conn)

    with ThreadPoolExecutor(3) as pool:
        disturber = pool.submit(disturb)
        try:
            sums = [future.result(timeout=120) for future in [pool.submit(run, partition) for partition in (0, 1)]]
        finally:
            ended.set()
        disturber.result()

    assert sums[0] == sums[1]
    with reading(engine) as conn:
        rows = conn.execute(select(core.Event.store_id, core.Event.receipt).order_by(core.Event.id)).all()
    by_store = {}
    for store_id, receipt in rows:
        by_store.setdefault(store_id, []).append(receipt)
    assert len({len(receipts) for receipts in by_store.values()}) == 1
    assert all(receipts == sorted(receipts) for receipts in by_store.values())


def test_a_stale_chain_is_fenced_off_by_those_of_its_own_partition(recorder, engine):
    _record_alone(engine, build_batch(recorder, 0, 1), 0, 9)
    _record_alone(engine, build_batch(recorder, 1, 1), 1, 5)

    with pytest.raises(StaleFence):
        _record_alone(engine, build_batch(recorder, 1, 2), 1, 4)


def test_an_event_that_commits_after_a_later_one_is_counted(recorder, engine):
    """The ids of the open batch are smaller than those of the batch that is committed meanwhile."""
    first, second = (build_batch(recorder, partition, 1) for partition in (0, 1))
    with ThreadPoolExecutor(2) as pool:
        with writing(engine) as conn:
            record(conn, first, 0, 1)
            pool.submit(_record_alone, engine, second, 1, 1).result(timeout=30)
            collecting = pool.submit(_collect, engine)
        collecting.result(timeout=30)
    _collect(engine)
    with reading(engine) as conn:
        counted = dict(
            conn.execute(
                select(HourlyActivity.store_id, func.sum(HourlyActivity.hooks)).group_by(HourlyActivity.store_id)
            ).all()
        )
        there = dict(conn.execute(select(core.Event.store_id, func.count()).group_by(core.Event.store_id)).all())
    assert counted == there


def _record_alone(engine, batch, partition, token):
    with writing(engine) as conn:
        return record(conn, batch, partition, token)


def _collect(engine):
    with writing(engine) as conn:
        settled = find_settled_event_id(conn)
    with writing(engine) as conn:
        collect_activity(conn, settled)
