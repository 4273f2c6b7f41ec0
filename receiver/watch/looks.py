"""Looks up the gauges' values where they are: in Redis, in the ledger, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from redis import Redis

from pipeline import keys
from pipeline.attention.causes import CAUSES
from pipeline.attention.item import Item
from pipeline.inbox import stream
from pipeline.inbox.way_in import Condition
from pipeline.lanes.budget import Budget
from pipeline.ledger.reading import Backlog, Chain, Wire
from pipeline.ledger.silence.alarms import SILENCE
from pipeline.silence.hearing import Hearing
from pipeline.troubles import trouble_now
from receiver.watch.gauges import Seen

_MICROS = 1_000_000


def in_this_process(condition: Condition | None, chain: Chain, now: int) -> Iterator[Seen]:
    """The way in, and the heartbeats."""
    yield Seen("cratewire_ready", float(can_keep(condition)), ("hooks",))
    if chain.alive is not None:
        yield Seen("cratewire_ready", float(chain.alive), ("chain",))
    if chain.last_heartbeat_seconds is not None and chain.heartbeat_took_seconds is not None:
        yield Seen("cratewire_heartbeat_age_seconds", chain.last_heartbeat_seconds)
        yield Seen("cratewire_heartbeat_took_seconds", chain.heartbeat_took_seconds)
    if condition is not None:
        yield Seen("cratewire_spool_hooks", condition.spooled)
        yield Seen("cratewire_spool_oldest_seconds", _age(condition.spooled_since, now))


def can_keep(condition: Condition | None) -> bool:
    """Whether a hook that came now would be kept."""
    return condition is not None and (condition.redis or condition.spool)


def in_inbox(redis: Redis, now: int) -> Iterator[Seen]:
    """How much waits there, and how long, and what tasks say of the ledger that should take it."""
    yield Seen("cratewire_inbox_hooks", stream.depth(redis))
    yield Seen("cratewire_inbox_oldest_seconds", _age(stream.oldest(redis), now))
    if (trouble := trouble_now(redis)) is not None:
        yield Seen("cratewire_ledger_trouble_seconds", _age(trouble.since, now), (trouble.code,))


def in_budgets(redis: Redis, wires: tuple[Wire, ...]) -> Iterator[Seen]:
    """How each connection's account is doing."""
    for wire in wires:
        budget = Budget(redis, keys.budget(wire.platform, wire.account), 1.0)
        yield Seen("cratewire_rate_factor", budget.factor(), (str(wire.connection_id),))
        yield Seen("cratewire_rate_pause_seconds", budget.paused(), (str(wire.connection_id),))


def in_ledger(found: Backlog, now: int) -> Iterator[Seen]:
    """What waits to leave, and what cannot."""
    yield Seen("cratewire_dead_hooks_waiting", found.dead_hooks)
    for wire in found.wires:
        name = str(wire.connection_id)
        yield Seen("cratewire_connection_active", float(wire.active), (name, wire.store, wire.platform))
        yield Seen("cratewire_dead_deliveries_waiting", wire.dead, (name,))
    for lane in found.lanes:
        place = (str(lane.connection_id), str(lane.lane))
        yield Seen("cratewire_lane_deliveries", lane.open, place)
        yield Seen("cratewire_lane_oldest_seconds", _age(lane.oldest_at, now), place)
        yield Seen("cratewire_lane_rest_seconds", max(0, lane.next_attempt_at - now) / _MICROS, place)
    yield Seen("cratewire_due_oldest_seconds", _oldest_due(found, now))


def in_attention(items: Sequence[Item]) -> Iterator[Seen]:
    """What needs a person. Every cause has a value, so that an alert sees its end."""
    counts = Counter(item.cause for item in items)
    for cause in CAUSES:
        yield Seen("cratewire_attention", counts[cause.name], (cause.name,))


def in_hearing(found: Hearing, now: int) -> Iterator[Seen]:
    """The way in, and stores that are silent."""
    proof = found.way_in
    if proof.works is not None:
        yield Seen("cratewire_ready", float(proof.works), ("way_in",))
    if proof.proven_at is not None and proof.took_us is not None:
        yield Seen("cratewire_canary_age_seconds", _age(proof.proven_at, now))
        yield Seen("cratewire_canary_took_seconds", proof.took_us / _MICROS)
    for alarm in found.alarms:
        if alarm.kind == SILENCE and alarm.store is not None:
            yield Seen("cratewire_silence_seconds", _age(alarm.last_at, now), (alarm.store, alarm.event or "any"))


def _oldest_due(found: Backlog, now: int) -> float:
    active = {wire.connection_id for wire in found.wires if wire.active}
    due = (lane for lane in found.lanes if lane.connection_id in active and lane.next_attempt_at <= now)
    # A lane that has rested is due since then, however old what waits in it.
    return max((_age(max(lane.oldest_at, lane.next_attempt_at), now) for lane in due), default=0.0)


def _age(at: int | None, now: int) -> float:
    return 0.0 if at is None else max(0, now - at) / _MICROS
