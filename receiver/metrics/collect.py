"""The gauges of `/metrics`, and the functions that read their values from Redis, the ledger and this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from redis import Redis
from sqlalchemy import Connection

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem
from pipeline.backfill.progress import Progress, build_progress
from pipeline.inbox import stream
from pipeline.inbox.ingest import IngestStatus
from pipeline.infra import redis_keys
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.backfills import RUNNING
from pipeline.ledger.monitoring.rows import SILENCE
from pipeline.ledger.queries import (
    Backlog,
    ChainStatus,
    ConnectionSummary,
    ReconciliationSummary,
    list_reconciliations,
    load_newest_backfills,
)
from pipeline.monitoring.database_trouble import get_reported_trouble
from pipeline.monitoring.status import HookHealth

_MICROS = 1_000_000
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {  # name -> (help text, labels)
    "cratewire_ready": (
        "1 if this part works: hooks (they are stored), chain (they become events), way_in (canaries arrive).",
        ("part",),
    ),
    "cratewire_source_up": ("1 if the source could be read.", ("source",)),
    "cratewire_ledger_trouble_seconds": (
        "How long tasks have failed at the database, by its error code.",
        ("code",),
    ),
    "cratewire_heartbeat_age_seconds": ("Time since a heartbeat last reached the ledger.", ()),
    "cratewire_heartbeat_took_seconds": ("How long the last one took.", ()),
    "cratewire_canary_age_seconds": ("Time since a canary last arrived through the public URL.", ()),
    "cratewire_canary_took_seconds": ("How long the last one took.", ()),
    "cratewire_attention": ("Things that need a person, by cause.", ("cause",)),
    "cratewire_silence_seconds": (
        "How long a store has been unexpectedly silent.",
        ("store", "event"),
    ),
    "cratewire_backfill_state": ("1 for the state of a store's newest backfill.", ("store", "state")),
    "cratewire_backfill_read_pages": ("Pages it has read.", ("store",)),
    "cratewire_backfill_expected_pages": ("Pages it is expected to read in total.", ("store",)),
    "cratewire_backfill_rest_seconds": ("Time until its next step, while it runs.", ("store",)),
    "cratewire_backfill_overdue_seconds": ("How long its next step has been due, while it runs.", ("store",)),
    "cratewire_reconciliation_age_seconds": (
        "Age of the time up to which a store's API has been compared completely.",
        ("store",),
    ),
    "cratewire_missed_hooks_ratio": (
        "The share of a store's hooks of seven days that never arrived.",
        ("store",),
    ),
    "cratewire_spool_hooks": ("Hooks on the spool of this web process.", ()),
    "cratewire_spool_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_inbox_hooks": ("Hooks in the inbox that are not in the ledger yet.", ()),
    "cratewire_inbox_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_rate_factor": ("The factor applied to the rate of a connection's account.", ("connection",)),
    "cratewire_rate_pause_seconds": ("How long its account is still paused by the platform.", ("connection",)),
    "cratewire_connection_active": ("0 if it is paused or its keys were refused.", ("connection", "store", "platform")),
    "cratewire_lane_deliveries": ("Deliveries waiting in a lane.", ("connection", "lane")),
    "cratewire_lane_oldest_seconds": ("How long the oldest of them has been waiting.", ("connection", "lane")),
    "cratewire_lane_rest_seconds": ("How long the lane still waits after a failure.", ("connection", "lane")),
    "cratewire_due_oldest_seconds": ("How long the oldest delivery that is due has been waiting.", ()),
    "cratewire_dead_hooks_waiting": ("Dead hooks that were not replayed.", ()),
    "cratewire_dead_deliveries_waiting": ("Dead deliveries that were not replayed.", ("connection",)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one gauge; `labels` in the order of its row."""

    gauge: str
    value: float
    labels: tuple[str, ...] = ()


def build_gauge_families(samples: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    """Build the family of every gauge; a gauge without samples has no value."""
    values: Mapping[str, list[Sample]] = {name: [] for name in GAUGES}
    for sample in samples:
        values[sample.gauge].append(sample)
    for name, (says, labels) in GAUGES.items():
        family = GaugeMetricFamily(name, says, labels=labels)
        for sample in values[name]:
            family.add_metric(sample.labels, sample.value)
        yield family


def collect_process(status: IngestStatus | None, chain: ChainStatus, now: int) -> Iterator[Sample]:
    """Collect readiness, heartbeats and spool of this process."""
    yield Sample("cratewire_ready", float(can_store_hooks(status)), ("hooks",))
    if chain.alive is not None:
        yield Sample("cratewire_ready", float(chain.alive), ("chain",))
    if chain.last_heartbeat_seconds is not None and chain.heartbeat_took_seconds is not None:
        yield Sample("cratewire_heartbeat_age_seconds", chain.last_heartbeat_seconds)
        yield Sample("cratewire_heartbeat_took_seconds", chain.heartbeat_took_seconds)
    if status is not None:
        yield Sample("cratewire_spool_hooks", status.spooled_hooks)
        yield Sample("cratewire_spool_oldest_seconds", _get_age_s(status.oldest_spooled_at, now))


def can_store_hooks(status: IngestStatus | None) -> bool:
    """Return whether a hook that arrived now could be stored."""
    return status is not None and (status.redis or status.spool)


def collect_inbox(redis: Redis, now: int) -> Iterator[Sample]:
    """Collect the inbox's depth and age, and the database error that tasks reported."""
    yield Sample("cratewire_inbox_hooks", stream.depth(redis))
    yield Sample("cratewire_inbox_oldest_seconds", _get_age_s(stream.get_oldest_received_at(redis), now))
    if (trouble := get_reported_trouble(redis)) is not None:
        yield Sample("cratewire_ledger_trouble_seconds", _get_age_s(trouble.since, now), (trouble.code,))


def collect_rate_limits(redis: Redis, connections: tuple[ConnectionSummary, ...]) -> Iterator[Sample]:
    """Collect the rate limit of each connection's account."""
    for connection in connections:
        budget = Budget(redis, redis_keys.budget(connection.platform, connection.account), 1.0)
        yield Sample("cratewire_rate_factor", budget.factor(), (str(connection.connection_id),))
        yield Sample("cratewire_rate_pause_seconds", budget.pause_left_s(), (str(connection.connection_id),))


def collect_ledger(backlog: Backlog, now: int) -> Iterator[Sample]:
    """Collect the deliveries that wait, and the dead hooks and deliveries."""
    yield Sample("cratewire_dead_hooks_waiting", backlog.dead_hooks)
    for connection in backlog.connections:
        name = str(connection.connection_id)
        yield Sample(
            "cratewire_connection_active", float(connection.active), (name, connection.store, connection.platform)
        )
        yield Sample("cratewire_dead_deliveries_waiting", connection.dead, (name,))
    for lane in backlog.lanes:
        place = (str(lane.connection_id), str(lane.lane))
        yield Sample("cratewire_lane_deliveries", lane.open, place)
        yield Sample("cratewire_lane_oldest_seconds", _get_age_s(lane.oldest_at, now), place)
        yield Sample("cratewire_lane_rest_seconds", max(0, lane.next_attempt_at - now) / _MICROS, place)
    yield Sample("cratewire_due_oldest_seconds", _get_oldest_due_s(backlog, now))


def collect_attention(items: Sequence[AttentionItem]) -> Iterator[Sample]:
    """Collect the attention items by cause. Every cause has a value, so that an alert sees when it is resolved."""
    counts = Counter(item.cause for item in items)
    for cause in CAUSES:
        yield Sample("cratewire_attention", counts[cause.name], (cause.name,))


def collect_monitoring(backlog: HookHealth, now: int) -> Iterator[Sample]:
    """Collect the state of the public endpoint and of silent stores."""
    proof = backlog.endpoint
    if proof.works is not None:
        yield Sample("cratewire_ready", float(proof.works), ("way_in",))
    if proof.proven_at is not None and proof.took_us is not None:
        yield Sample("cratewire_canary_age_seconds", _get_age_s(proof.proven_at, now))
        yield Sample("cratewire_canary_took_seconds", proof.took_us / _MICROS)
    for alarm in backlog.alarms:
        if alarm.kind == SILENCE and alarm.store is not None:
            yield Sample(
                "cratewire_silence_seconds", _get_age_s(alarm.last_at, now), (alarm.store, alarm.event or "any")
            )


def _get_oldest_due_s(backlog: Backlog, now: int) -> float:
    active = {connection.connection_id for connection in backlog.connections if connection.active}
    due = (lane for lane in backlog.lanes if lane.connection_id in active and lane.next_attempt_at <= now)
    # A lane that had to wait is due since the end of its wait, however old its deliveries are.
    return max((_get_age_s(max(lane.oldest_at, lane.next_attempt_at), now) for lane in due), default=0.0)


def _get_age_s(at: int | None, now: int) -> float:
    return 0.0 if at is None else max(0, now - at) / _MICROS


@dataclass(frozen=True, slots=True)
class StoreStates:
    """`backfills`: store -> its newest backfill. `is_scheduled`: whether reconciliation runs periodically."""

    backfills: Mapping[str, Progress]
    reconciliations: Sequence[ReconciliationSummary]
    is_scheduled: bool = True


def load_store_states(conn: Connection, now: int, *, is_scheduled: bool) -> StoreStates:
    """Load the states from the ledger."""
    backfills = {name: build_progress(row, now) for name, row in load_newest_backfills(conn).items()}
    return StoreStates(backfills, list_reconciliations(conn, now), is_scheduled)


def collect_stores(states: StoreStates, now: int) -> Iterator[Sample]:
    """Collect the backfills and the reconciliation of all stores."""
    for store, progress in states.backfills.items():
        yield Sample("cratewire_backfill_state", 1, (store, progress.state))
        yield from _collect_open_backfill(store, progress, now)
    for summary in states.reconciliations:
        if states.is_scheduled:
            done = summary.complete_until if summary.complete_until is not None else summary.since
            yield Sample("cratewire_reconciliation_age_seconds", max(0, now - done) / _MICROS, (summary.store,))
        yield Sample("cratewire_missed_hooks_ratio", summary.rate, (summary.store,))


def _collect_open_backfill(store: str, progress: Progress, now: int) -> Iterator[Sample]:
    """Collect the progress of a backfill that has not ended."""
    if progress.next_step_at is None:
        return
    yield Sample("cratewire_backfill_read_pages", progress.pages, (store,))
    if progress.pages_total is not None:
        yield Sample("cratewire_backfill_expected_pages", progress.pages_total, (store,))
    if progress.state == RUNNING:
        yield Sample("cratewire_backfill_rest_seconds", max(0, progress.next_step_at - now) / _MICROS, (store,))
        yield Sample("cratewire_backfill_overdue_seconds", max(0, now - progress.next_step_at) / _MICROS, (store,))
