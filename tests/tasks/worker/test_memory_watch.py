"""Kills for want of memory are noted where the list of what needs a person finds them."""

from __future__ import annotations

from pipeline.attention.causes.servers import MEMORY_CAUSE
from pipeline.infra import redis_keys
from tasks.worker.memory_watch import MemoryWatch


def test_what_was_killed_before_is_not_counted(installed):
    watch = MemoryWatch(installed.process.redis, "here", lambda: 7, lambda: 1.0)

    assert watch.check() == 0
    assert not installed.process.redis.exists(redis_keys.OOM_KILLS)


def test_what_was_killed_since_is_on_the_list_for_a_while(installed):
    counts = iter([7, 9])
    watch = MemoryWatch(installed.process.redis, "here", lambda: next(counts), lambda: 1.0)
    watch.check()
    MemoryWatch(installed.process.redis, "here", iter([7, 9]).__next__, lambda: 1.0).check()

    context = installed.process
    (item,) = MEMORY_CAUSE.find_items(context)
    assert (item.subject, item.since) == ("here", 1_000_000)
    assert "here for want of memory: 9 so far" in item.headline
    assert 0 < context.redis.ttl(redis_keys.OOM_KILLS) <= 3_600
