"""Writes the page Prometheus reads: the fleet's totals, and how things stand now.

Any web process can show the whole fleet's figures, because they are kept in Redis and in the ledger; only the spool and
the readiness are its own. If a source is away its figures are left out, and the page says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.item import Item
from pipeline.inbox.way_in import Condition
from pipeline.ledger.reading import Backlog, Chain
from pipeline.metrics.shared import families
from pipeline.silence.hearing import Hearing
from receiver.watch import looks
from receiver.watch.counts import Counts
from receiver.watch.gauges import Seen, gauge_families
from receiver.watch.stores import Stores, in_stores


@dataclass(frozen=True, slots=True)
class Sources:
    """Where figures come from. Those that go out of this process raise RedisError or SQLAlchemyError when they fail."""

    redis: Redis
    counts: Counts
    backlog: Callable[[], Backlog]
    hearing: Callable[[], Hearing]
    attention: Callable[[], Sequence[Item]]
    stores: Callable[[], Stores]
    condition: Callable[[], Condition | None]
    chain: Callable[[], Chain]
    now: Callable[[], int]  # µs


class Scrape:
    """One reader at a time: whoever comes meanwhile gets the page before, so that a slow database costs one thread."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._busy = threading.Lock()
        self._page = b""

    def page(self) -> bytes:
        """The page in Prometheus's text format."""
        if self._busy.acquire(blocking=not self._page):
            try:
                self._page = self._write()
            finally:
                self._busy.release()
        return self._page

    def _write(self) -> bytes:
        registry = CollectorRegistry()
        gauges = [*gauge_families(self._look())]  # first, since it looks the totals up too
        totals = self._sources.counts.now()
        registry.register(_Collected([*(families(totals) if totals is not None else ()), *gauges]))
        return generate_latest(registry)

    def _look(self) -> Iterator[Seen]:
        ask, now = self._sources, self._sources.now()
        yield from looks.in_attention(ask.attention())
        yield from looks.in_this_process(ask.condition(), ask.chain(), now)
        found: list[Backlog] = []
        try:
            found.append(ask.backlog())
            yield from [*looks.in_ledger(found[0], now), *looks.in_hearing(ask.hearing(), now)]
            yield from [*in_stores(ask.stores(), now)]
        except SQLAlchemyError:
            yield Seen("cratewire_source_up", 0, ("ledger",))
        else:
            yield Seen("cratewire_source_up", 1, ("ledger",))
        try:
            ask.counts.read()
            inbox = [*looks.in_inbox(ask.redis, now), *looks.in_budgets(ask.redis, found[0].wires if found else ())]
        except RedisError:
            yield Seen("cratewire_source_up", 0, ("redis",))
        else:
            yield from [*inbox, Seen("cratewire_source_up", 1, ("redis",))]


class _Collected:
    """What prometheus_client asks for its families."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found
