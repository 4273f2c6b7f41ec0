"""Looks up the gauges' values where they are: in Redis, in the ledger, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from redis import Redis

from pipeline.attention.causes import CAUSES
from pipeline.attention.item import AttentionItem
from pipeline.inbox import stream
from pipeline.inbox.ingest import IngestStatus
from pipeline.infra import redis_keys
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.monitoring.alarms import SILENCE
from pipeline.ledger.queries import Backlog, ChainStatus, ConnectionSummary
from pipeline.monitoring.database_trouble import get_reported_trouble
from pipeline.monitoring.status import HookHealth
from receiver.metrics.gauges import Sample

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
        yield Sample("cratewire_rate_pause_seconds", budget.paused(), (str(wire.connection_id),))


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
