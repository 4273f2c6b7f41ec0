"""Whether the chain is alive: judged by the last heartbeat that arrived."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.ledger.schema.monitoring import Heartbeat

_SECOND_US = 1_000_000
MAX_MISSED_HEARTBEATS = 3  # intervals without a heartbeat before the chain counts as dead


@dataclass(frozen=True, slots=True)
class HeartbeatArrival:
    """The times of the last heartbeat that arrived; µs."""

    sent_at: int
    arrived_at: int


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """Whether hooks become events. `alive` None: heartbeats are off."""

    alive: bool | None
    last_heartbeat_seconds: float | None  # since the last arrival
    heartbeat_took_seconds: float | None  # from the receiver to the ledger


def find_last_heartbeat(conn: Connection) -> HeartbeatArrival | None:
    """The last heartbeat's times; None if there never was one."""
    row = conn.execute(select(Heartbeat.sent_at, Heartbeat.arrived_at).where(Heartbeat.name == "chain")).one_or_none()
    return None if row is None else HeartbeatArrival(row.sent_at, row.arrived_at)


def assess_chain(arrival: HeartbeatArrival | None, since: int | None, now: int, every: float) -> ChainStatus:
    """Judge the chain. `since` (µs): when heartbeats began to be sent, so that a new chain is not dead at once."""
    took = None if arrival is None else _seconds(arrival.arrived_at - arrival.sent_at)
    last = None if arrival is None else _seconds(now - arrival.arrived_at)
    if not every:
        return ChainStatus(None, last, took)
    known = [at for at in (since, arrival.arrived_at if arrival else None) if at is not None]
    return ChainStatus(bool(known) and now - max(known) <= MAX_MISSED_HEARTBEATS * every * _SECOND_US, last, took)


def _seconds(duration_us: int) -> float:
    return round(max(0, duration_us) / _SECOND_US, 3)
