"""The number of partitions changes while hooks come and chains record, as many as find something to read."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
from redis import Redis
from sqlalchemy import select

from pipeline.context import build_context
from pipeline.core.errors import StaleFence
from pipeline.inbox import stream
from pipeline.inbox.chain_lease import take_chain_lease
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.revocations import RevocationCache
from pipeline.ledger.schema import core
from pipeline.operations.partitions import change_partitions, finish_change
from pipeline.processing.chain_run import ChainDeps, ChainRun
from pipeline.settings import Settings
from tests.installation import Installation, order_hook
from tests.waiting import wait_until

STORES = [f"store-{number}" for number in range(7)]
NUMBERS = (4, 1, 3, 2, 1)


@pytest.fixture
def context(installed, valkey_url, empty_postgres):
    settings = Settings.from_environment(dict(installed.environment) | {"DATABASE_URL": empty_postgres})
    made = build_context(settings, make_engine(empty_postgres), Redis.from_url(valkey_url))
    yield made
    made.engine.dispose()
    made.redis.close()


def test_a_number_that_there_cannot_be_is_refused(context):
    for number in (0, 65):
        with pytest.raises(ValueError, match="there can be 1 to 64"):
            change_partitions(context, number)


def test_nothing_is_finished_that_was_not_begun(context):
    assert finish_change(context) is None


class Load:
    """A sender, and chains that record whatever they find in any partition."""

    def __init__(self, context):
        self.sent = {store: [] for store in STORES}
        self._context = replace(context, settings=replace(context.settings, batch=5))
        self._stopped = threading.Event()

    @contextmanager
    def flowing(self):
        """Hooks come while the block runs; afterwards all that wait are recorded."""
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(self._send), *(pool.submit(self._record) for _ in range(3))]
            try:
                yield
            finally:
                self._stopped.set()
            for future in futures:
                future.result(timeout=120)

    def wait_for(self, more):
        goal = len(self.sent[STORES[-1]]) + more
        wait_until(lambda: len(self.sent[STORES[-1]]) >= goal)

    def _send(self):
        for number in count(1):
            if self._stopped.wait(0.01):
                return
            stream.add_all(self._context.redis, [order_hook(number, store=store) for store in STORES], 2)
            for store in STORES:
                self.sent[store].append(number)

    def _record(self):
        deps = ChainDeps(self._context, RevocationCache(self._context.engine, time.monotonic))
        while not self._stopped.is_set() or stream.depth(self._context.redis):
            for partition in stream.get_depths(self._context.redis):
                _run_chain(deps, partition)


def test_a_change_under_load_loses_doubles_and_reorders_nothing(context):
    for store in STORES:
        Installation(context, {}).connect({"site_id": "s", "api_key": "k"}, store)
    load = Load(context)
    with load.flowing():
        for number in NUMBERS:
            load.wait_for(10)
            change_partitions(context, number)

    assert _load_orders(context.engine) == load.sent


def _run_chain(deps, partition):
    try:
        with take_chain_lease(deps.context.redis, lambda action: action(), partition) as lease:
            if lease is not None:
                for _ in ChainRun(deps, lease).run():
                    pass
    except StaleFence:
        pass


def _load_orders(engine):
    """Store -> the numbers of its orders, in the order in which they were recorded."""
    event, store = core.Event, core.Store
    query = select(store.name, event.subject_id).join(store, store.id == event.store_id).order_by(event.id)
    found = {}
    with reading(engine) as conn:
        for name, number in conn.execute(query):
            found.setdefault(name, []).append(number)
    return found
