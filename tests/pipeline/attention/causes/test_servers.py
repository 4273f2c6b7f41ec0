"""Redis, the database, the clock, the disk and the spool, as they must be and as they are."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from redis.exceptions import ConnectionError as Away

from pipeline.attention.causes import servers
from pipeline.inbox.spool.queue import Spool
from pipeline.ledger.engine import make_engine
from pipeline.ledger.faults import DatabaseFault
from pipeline.monitoring.database_trouble import report_trouble
from tests.installation import order_hook
from tests.pipeline.attention.conftest import MINUTE
from tests.pipeline.ledger.rows import NOW

WELL = {"aof_enabled": 1, "maxmemory_policy": "noeviction", "maxmemory": 100, "used_memory": 10}

FULL = DatabaseFault("53100", "the database's disk is full", "Make room on it.")


class Redis:
    """Says what it is given."""

    def __init__(self, facts=WELL, at=NOW):
        self._facts = facts
        self._at = at

    def info(self):
        if self._facts is None:
            raise Away
        return self._facts

    def time(self):
        return self._at // 1_000_000, self._at % 1_000_000


def subjects(attention, cause, **more):
    return [one.subject for one in cause.find_items(replace(attention.context, **more))]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (WELL, []),
        (None, ["away"]),
        (WELL | {"aof_enabled": 0}, ["append-only"]),
        (WELL | {"maxmemory_policy": "allkeys-lru"}, ["eviction"]),
        (WELL | {"used_memory": 95}, ["memory"]),
    ],
)
def test_a_redis_that_would_lose_hooks_is_named(attention, facts, said):
    assert subjects(attention, servers.REDIS_CAUSE, redis=Redis(facts)) == said


def test_missing_replicas_are_named_and_only_where_they_are_waited_for(attention):
    wanted = replace(attention.context.settings, replicas=1)
    alone = Redis(WELL | {"role": "master", "connected_slaves": 0})

    assert subjects(attention, servers.REDIS_CAUSE, redis=alone, settings=wanted) == ["replicas"]
    assert subjects(attention, servers.REDIS_CAUSE, redis=alone) == []


def test_a_database_that_does_not_answer_is_named(attention):
    away = make_engine("sqlite:////nowhere/at/all.conn")

    assert "away" not in subjects(attention, servers.DATABASE_CAUSE)
    assert subjects(attention, servers.DATABASE_CAUSE, engine=away) == ["away"]


@pytest.mark.on_both_databases
def test_a_postgresql_that_does_not_sync_is_named(attention):
    """The tests' own has both switched off, so as to be quick."""
    named = subjects(attention, servers.DATABASE_CAUSE)

    assert named == (["fsync", "full_page_writes"] if attention.engine.dialect.name == "postgresql" else [])


def test_clocks_that_differ_are_named(attention):
    assert subjects(attention, servers.CLOCK_CAUSE, redis=Redis(at=NOW + 4_000_000)) == []
    assert len(subjects(attention, servers.CLOCK_CAUSE, redis=Redis(at=NOW - 6_000_000))) == 1


def test_a_disk_is_judged_by_what_is_free(attention, monkeypatch):
    def free(share):
        usage = shutil.disk_usage(attention.settings.data_dir)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=round(share * 1e9), total=10**12))
        found = subjects(attention, servers.DISK_CAUSE)
        monkeypatch.undo()
        return len(found)

    assert (free(0.9), free(1.1)) == (1, 0)


def test_hooks_that_stay_on_the_disk_are_counted(attention):
    folder = attention.settings.data_dir / "spool" / "0"
    folder.mkdir(parents=True)
    spool = Spool(folder)
    spool.append([replace(order_hook(1), received_at=NOW)])
    spool.close()
    soon = subjects(attention, servers.SPOOL_CAUSE)
    attention.clock += servers.MAX_SPOOL_AGE_US + 1

    [item] = servers.SPOOL_CAUSE.find_items(attention.context)
    assert (soon, item.headline.startswith("1 hook on the disk"), item.since) == ([], True, NOW)


def test_a_database_that_tasks_fail_of_for_a_minute_needs_a_person(attention):
    report_trouble(attention.redis, FULL, "hooks.fan_out", attention.clock - MINUTE)

    (item,) = attention.list()

    assert (item.cause, item.headline, item.to_do) == (
        "database_trouble",
        "the database's disk is full (53100)",
        "Make room on it.",
    )


def test_a_short_trouble_needs_no_one(attention):
    report_trouble(attention.redis, FULL, "hooks.fan_out", attention.clock - MINUTE // 2)

    assert attention.list() == []
