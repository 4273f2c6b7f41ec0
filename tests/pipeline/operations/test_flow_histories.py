"""Whatever happens to a store's hooks, the flow says of every span of time where each of them is, and adds up."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from random import Random
from tempfile import TemporaryDirectory

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ledger.counts.fold import fold_changes
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.queries import ActivityFilter, load_flow
from pipeline.ledger.queries.activity_filter import find_event_ids
from pipeline.ledger.queries.unreadable import list_unreadable_hooks
from tests.builders import HOUR, NOW
from tests.pipeline.operations.flow_history import OPERATIONS, History
from tests.pipeline.operations.retention_shop import Shop
from tests.pipeline.recording.conftest import HookRecorder

FIRST = NOW // HOUR - 5


PLACES = ("unreadable", "kept", "withheld", "waiting", "sent", "refused", "recovered", "repeats")


def list_places(conn, first, end):
    """Place -> how many rows the feed shows of it in this span: hooks, or events that were repeated."""
    found = {}
    for place in PLACES:
        wanted = ActivityFilter(store_ids=(1,), show=place, since=first * HOUR, until=end * HOUR - 1)
        rows = list_unreadable_hooks(conn, wanted) if place == "unreadable" else find_event_ids(conn, wanted, limit=99)
        found[place] = len(rows)
    return {place: number for place, number in found.items() if number}


def check(history, random):
    """Compare some spans, in hours and in days."""
    last = history.now // HOUR + 1
    spans = [(FIRST, last), *(sorted(random.sample(range(FIRST, last + 1), 2)) for _ in range(2))]
    with reading(history.shop.engine) as conn:
        for (first, end), step in zip(spans, ("hour", "day", "hour"), strict=True):
            flow = load_flow(conn, [1], first * HOUR, end * HOUR, step)
            found = {name: number for name, number in asdict(flow.total).items() if number}
            assert found == {name: number for name, number in history.count(first, end).items() if number}
            assert flow.total.received == sum(found.values()) - found.get("recovered", 0)
            assert list_places(conn, first, end) == history.count_rows(first, end)
            assert sum(part.counts.received for part in flow.parts) == flow.total.received


@pytest.fixture(scope="module")
def make_shop(migrated_sqlite):
    def make(folder):
        shutil.copy(migrated_sqlite, f"{folder}/ledger.db")
        return Shop(HookRecorder(make_engine(f"sqlite:///{folder}/ledger.db")), fakeredis.FakeRedis())

    return make


@settings(max_examples=8)
@given(st.lists(st.sampled_from(OPERATIONS), min_size=10, max_size=30), st.integers(0, 2**32))
def test_every_hook_is_in_exactly_one_place(make_shop, operations, seed):
    with TemporaryDirectory() as folder:
        history, random = History(make_shop(folder), Random(seed)), Random(seed)
        for number, name in enumerate(operations):
            history.do(name)
            if number % 9 == 0:
                check(history, random)
        check(history, random)
        history.shop.engine.dispose()


def test_the_same_holds_on_both_databases(shop):
    history, random = History(shop, Random(4)), Random(4)
    for name in random.sample(OPERATIONS * 2, len(OPERATIONS) * 2):
        history.do(name)
    check(history, random)
    with writing(shop.engine) as conn:
        while fold_changes(conn):
            pass
    check(history, random)
