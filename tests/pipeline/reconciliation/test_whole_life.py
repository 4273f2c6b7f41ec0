"""A life of the sandbox store, some of whose hooks are lost: all that can be found is found, once, and nothing else."""

from __future__ import annotations

import random
import shutil

import pytest

from pipeline.ledger.engine import make_engine
from pipeline.reconciliation.collections import OBSERVABLE_EVENTS
from sandbox.store.server import run_in_thread
from sandbox.store.webhooks.mix import Mix
from sandbox.store.world import Options
from tests.pipeline.reconciliation.sandbox_store import MINUTE, SECOND, SandboxStore
from tests.pipeline.sandbox_store import StoreControl

STARTS = ("2026-11-28T03:37:45Z", "2027-01-31T09:00:00Z", "2028-02-29T23:50:00Z")  # months of every length follow


class Hurried(SandboxStore):
    """Months of the store pass while our clock stands still: as in the demo."""

    def __post_init__(self):
        super().__post_init__()
        self.stands_at = (self.world.state.now - 120) * SECOND

    def now(self):
        return self.stands_at


@pytest.fixture(scope="module")
def lived(migrated_sqlite, tmp_path_factory):
    """A store with customers from before, a life of which every fourth hook is lost, and two passes after it."""
    path = tmp_path_factory.mktemp("life") / "ledger.db"
    shutil.copy(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        store = SandboxStore(engine, StoreControl(running), mix=Mix(test=0.05), odd=0.3)
        store.settle(8)
        store.connect()
        store.compare()
        store.losing = lose_first_of_each_and_by_chance(random.Random(3))
        store.tour()
        store.live(350)
        store.compare()
        store.compare_later(16 * MINUTE)
        yield store
    engine.dispose()


def lose_first_of_each_and_by_chance(luck):
    """A quarter of the hooks, and the first of each event: a life may have only one cancellation."""
    seen = set()

    def losing(news):
        is_first = news.event not in seen
        seen.add(news.event)
        return luck.random() < 1 / 4 or is_first

    return losing


@pytest.fixture(params=STARTS)
def hurried(request, migrated_sqlite, tmp_path):
    """A life as the demo's, long enough that many a subscription is renewed twice."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with run_in_thread(Options("id", "secret", start=request.param)) as running:
        store = Hurried(engine, StoreControl(running), grace_s=0.0, gap=129_600)
        store.settle(24)
        store.connect()
        store.compare()
        luck = random.Random(3)
        store.losing = lambda _: luck.random() < 1 / 4
        store.tour()
        store.live(500)
        store.compare()
        yield store
    engine.dispose()


def only_last(hooks):
    """Without the renewals whose subscription was renewed again: the API shows the last end date only."""
    last = {one.subject_id: one.key for one in hooks if one.event == "subscription_renewed"}
    return [one for one in hooks if one.event != "subscription_renewed" or last[one.subject_id] == one.key]


def shown_by_the_api(store, *, lost):
    hooks = [one for one in only_last(store.hooks) if one.event in OBSERVABLE_EVENTS and not one.is_test]
    return {one.key for one in hooks if one.lost is lost}


def test_all_that_was_lost_and_can_be_seen_is_recovered_and_nothing_else(lived):
    assert sorted(row.happening for row in lived.events("reconcile")) == sorted(shown_by_the_api(lived, lost=True))


def test_so_it_is_on_whichever_day_the_store_begins_and_however_fast_its_time_goes(hurried):
    assert sorted(row.happening for row in hurried.events("reconcile")) == sorted(shown_by_the_api(hurried, lost=True))


def test_every_event_the_api_can_show_was_lost_and_found(lived):
    assert {row.name for row in lived.events("reconcile")} == set(OBSERVABLE_EVENTS)


def test_the_counts_are_right(lived):
    arrived, missed = shown_by_the_api(lived, lost=False), shown_by_the_api(lived, lost=True)

    assert lived.counted() == {"expected": len(arrived | missed), "missed": len(missed), "late": 0, "dead": 0}
