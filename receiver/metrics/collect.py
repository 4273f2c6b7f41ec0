"""Looks up the gauges' values where they are: in Redis, in the ledger, in this process."""

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
from pipeline.ledger.monitoring.alarms import SILENCE
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

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {  # name -> (what it says, labels)
    "cratewire_ready": (
        "1 if this part does its work: hooks (they are kept), chain (they become events), way_in (canaries come back).",
        ("part",),
    ),
    "cratewire_source_up": ("1 if what is told of it could be looked up.", ("source",)),
    "cratewire_ledger_trouble_seconds": ("How long tasks have failed of the database, by its own code.", ("code",)),
    "cratewire_heartbeat_age_seconds": ("Since a heartbeat last came all the way to the ledger.", ()),
    "cratewire_heartbeat_took_seconds": ("How long the last one took.", ()),
    "cratewire_canary_age_seconds": ("Since a canary last came back through the public address.", ()),
    "cratewire_canary_took_seconds": ("How long the last one took.", ()),
    "cratewire_attention": ("Things that need a person, by cause.", ("cause",)),
    "cratewire_silence_seconds": ("How long a store has been silent that should not be.", ("store", "event")),
    "cratewire_backfill_state": ("1 for the state of a store's newest backfill.", ("store", "state")),
    "cratewire_backfill_read_pages": ("Pages it has read.", ("store",)),
    "cratewire_backfill_expected_pages": ("Pages it will have read when it ends, as far as is known.", ("store",)),
    "cratewire_backfill_rest_seconds": ("How long it still rests before its next step, while it runs.", ("store",)),
    "cratewire_backfill_overdue_seconds": ("How long its next step has been due, while it runs.", ("store",)),
    "cratewire_reconciliation_age_seconds": (
        "Since the last moment up to which a store's API has been compared completely.",
        ("store",),
    ),
    "cratewire_missed_hooks_ratio": ("The share of a store's hooks of seven days that never came.", ("store",)),
    "cratewire_spool_hooks": ("Hooks on this web process's disk.", ()),
    "cratewire_spool_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_inbox_hooks": ("Hooks the ledger does not hold yet.", ()),
    "cratewire_inbox_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_rate_factor": ("The part of its account's rate a connection may use.", ("connection",)),
    "cratewire_rate_pause_seconds": ("How long its account is still paused, because it told us so.", ("connection",)),
    "cratewire_connection_active": ("0 if somebody must mend it.", ("connection", "store", "platform")),
    "cratewire_lane_deliveries": ("Deliveries that wait in a lane.", ("connection", "lane")),
    "cratewire_lane_oldest_seconds": ("How long the oldest of them has been waiting.", ("connection", "lane")),
    "cratewire_lane_rest_seconds": ("How long the lane still rests after a failure.", ("connection", "lane")),
    "cratewire_due_oldest_seconds": ("The oldest delivery that could leave now and has not.", ()),
    "cratewire_dead_hooks_waiting": ("Hooks that could not go on and were not replayed.", ()),
    "cratewire_dead_deliveries_waiting": ("Deliveries the platform will not take.", ("connection",)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one gauge; `labels` in the order of its row."""

    gauge: str
    value: float
    labels: tuple[str, ...] = ()


def build_gauge_families(samples: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    """Every gauge with what was seen of it; one nobody could look up has no value."""
    values: Mapping[str, list[Sample]] = {name: [] for name in GAUGES}
    for one in samples:
        values[one.gauge].append(one)
    for name, (says, labels) in GAUGES.items():
        family = GaugeMetricFamily(name, says, labels=labels)
        for one in values[name]:
            family.add_metric(one.labels, one.value)
        yield family


_MICROS = 1_000_000


def collect_process(condition: IngestStatus | None, chain: ChainStatus, now: int) -> Iterator[Sample]:
    """The way in, and the heartbeats."""
    yield Sample("cratewire_ready", float(can_store_hooks(condition)), ("hooks",))
    if chain.alive is not None:
        yield Sample("cratewire_ready", float(chain.alive), ("chain",))
    if chain.last_heartbeat_seconds is not None and chain.heartbeat_took_seconds is not None:
        yield Sample("cratewire_heartbeat_age_seconds", chain.last_heartbeat_seconds)
        yield Sample("cratewire_heartbeat_took_seconds", chain.heartbeat_took_seconds)
    if condition is not None:
        yield Sample("cratewire_spool_hooks", condition.spooled_hooks)
        yield Sample("cratewire_spool_oldest_seconds", _get_age_s(condition.oldest_spooled_at, now))


def can_store_hooks(condition: IngestStatus | None) -> bool:
    """Whether a hook that came now would be kept."""
    return condition is not None and (condition.redis or condition.spool)


def collect_inbox(redis: Redis, now: int) -> Iterator[Sample]:
    """How much waits there, and how long, and what tasks say of the ledger that should take it."""
    yield Sample("cratewire_inbox_hooks", stream.depth(redis))
    yield Sample("cratewire_inbox_oldest_seconds", _get_age_s(stream.get_oldest_received_at(redis), now))
    if (trouble := get_reported_trouble(redis)) is not None:
        yield Sample("cratewire_ledger_trouble_seconds", _get_age_s(trouble.since, now), (trouble.code,))


def collect_rate_limits(redis: Redis, wires: tuple[ConnectionSummary, ...]) -> Iterator[Sample]:
    """How each connection's account is doing."""
    for wire in wires:
        budget = Budget(redis, redis_keys.budget(wire.platform, wire.account), 1.0)
        yield Sample("cratewire_rate_factor", budget.factor(), (str(wire.connection_id),))
        yield Sample("cratewire_rate_pause_seconds", budget.pause_left_s(), (str(wire.connection_id),))


def collect_ledger(found: Backlog, now: int) -> Iterator[Sample]:
    """What waits to leave, and what cannot."""
    yield Sample("cratewire_dead_hooks_waiting", found.dead_hooks)
    for wire in found.connections:
        name = str(wire.connection_id)
        yield Sample("cratewire_connection_active", float(wire.active), (name, wire.store, wire.platform))
        yield Sample("cratewire_dead_deliveries_waiting", wire.dead, (name,))
    for lane in found.lanes:
        place = (str(lane.connection_id), str(lane.lane))
        yield Sample("cratewire_lane_deliveries", lane.open, place)
        yield Sample("cratewire_lane_oldest_seconds", _get_age_s(lane.oldest_at, now), place)
        yield Sample("cratewire_lane_rest_seconds", max(0, lane.next_attempt_at - now) / _MICROS, place)
    yield Sample("cratewire_due_oldest_seconds", _get_oldest_due_s(found, now))


def collect_attention(items: Sequence[AttentionItem]) -> Iterator[Sample]:
    """What needs a person. Every cause has a value, so that an alert sees its end."""
    counts = Counter(item.cause for item in items)
    for cause in CAUSES:
        yield Sample("cratewire_attention", counts[cause.name], (cause.name,))


def collect_monitoring(found: HookHealth, now: int) -> Iterator[Sample]:
    """The way in, and stores that are silent."""
    proof = found.endpoint
    if proof.works is not None:
        yield Sample("cratewire_ready", float(proof.works), ("way_in",))
    if proof.proven_at is not None and proof.took_us is not None:
        yield Sample("cratewire_canary_age_seconds", _get_age_s(proof.proven_at, now))
        yield Sample("cratewire_canary_took_seconds", proof.took_us / _MICROS)
    for alarm in found.alarms:
        if alarm.kind == SILENCE and alarm.store is not None:
            yield Sample(
                "cratewire_silence_seconds", _get_age_s(alarm.last_at, now), (alarm.store, alarm.event or "any")
            )


def _get_oldest_due_s(found: Backlog, now: int) -> float:
    active = {wire.connection_id for wire in found.connections if wire.active}
    due = (lane for lane in found.lanes if lane.connection_id in active and lane.next_attempt_at <= now)
    # A lane that has rested is due since then, however old what waits in it.
    return max((_get_age_s(max(lane.oldest_at, lane.next_attempt_at), now) for lane in due), default=0.0)


def _get_age_s(at: int | None, now: int) -> float:
    return 0.0 if at is None else max(0, now - at) / _MICROS


@dataclass(frozen=True, slots=True)
class StoreStates:
    """`backfills`: store -> its newest one. `by_itself`: whether comparing happens without being asked for."""

    backfills: Mapping[str, Progress]
    reconciliations: Sequence[ReconciliationSummary]
    is_scheduled: bool = True


def load_store_states(db: Connection, now: int, *, is_scheduled: bool) -> StoreStates:
    """As the ledger has them."""
    backfills = {name: build_progress(row, now) for name, row in load_newest_backfills(db).items()}
    return StoreStates(backfills, list_reconciliations(db, now), is_scheduled)


def collect_stores(found: StoreStates, now: int) -> Iterator[Sample]:
    """What can be told of them now."""
    for store, progress in found.backfills.items():
        yield Sample("cratewire_backfill_state", 1, (store, progress.state))
        yield from _collect_open_backfill(store, progress, now)
    for one in found.reconciliations:
        if found.is_scheduled:
            done = one.complete_until if one.complete_until is not None else one.since
            yield Sample("cratewire_reconciliation_age_seconds", max(0, now - done) / _MICROS, (one.store,))
        yield Sample("cratewire_missed_hooks_ratio", one.rate, (one.store,))


def _collect_open_backfill(store: str, progress: Progress, now: int) -> Iterator[Sample]:
    """A backfill that has ended has nothing more to say: its pages are in the ledger."""
    if progress.next_step_at is None:
        return
    yield Sample("cratewire_backfill_read_pages", progress.pages, (store,))
    if progress.pages_total is not None:
        yield Sample("cratewire_backfill_expected_pages", progress.pages_total, (store,))
    if progress.state == RUNNING:
        yield Sample("cratewire_backfill_rest_seconds", max(0, progress.next_step_at - now) / _MICROS, (store,))
        yield Sample("cratewire_backfill_overdue_seconds", max(0, now - progress.next_step_at) / _MICROS, (store,))
