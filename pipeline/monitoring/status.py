"""Whether the public endpoint works, as canaries show it, and which alarms are open.

A canary is a hook that we send to our own public address. One that arrives has passed the name, the certificate, the
proxy, the receiver, the inbox and the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.canaries import CanaryRow, list_newest_canaries
from pipeline.ledger.monitoring.rows import ENDPOINT, AlarmRow

SECOND_US = 1_000_000
ARRIVAL_TIMEOUT_US = 300 * SECOND_US  # from the receiver's answer to the ledger
ANSWER_TIMEOUT_US = 180 * SECOND_US  # if no answer was written by then, the worker that sent the canary was killed
FAILURES_UNTIL_BROKEN = 3  # in a row, before an alarm opens: one may be due to a restart
_MAX_CANARIES = 20

NEVER_ARRIVED = "taken, and not in the ledger five minutes later: do the workers run?"


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """What the last canaries show of the public endpoint. `works` None: no canary has a result yet."""

    works: bool | None
    fault: str | None = None
    since: int | None = None  # when the first of the failed canaries in a row was sent
    proven_at: int | None = None  # when the last canary arrived
    took_us: int | None = None  # how long it took
    failures: int = 0  # in a row


@dataclass(frozen=True, slots=True)
class HookHealth:
    """The endpoint's status and the open alarms, the oldest first."""

    endpoint: EndpointStatus
    alarms: Sequence[AlarmRow]


def get_hook_health(conn: Connection, now: int, store_id: int | None = None) -> HookHealth:
    """All open alarms; or those of one store and of the endpoint, without the operator's other alarms."""
    alarms = [
        alarm
        for alarm in list_open_alarms(conn)
        if store_id is None or alarm.store_id == store_id or alarm.kind == ENDPOINT
    ]
    return HookHealth(get_endpoint_status(conn, now), alarms)


def get_endpoint_status(conn: Connection, now: int) -> EndpointStatus:
    """The status that the newest canaries show."""
    return compute_status(list_newest_canaries(conn, _MAX_CANARIES), now)


def compute_status(canaries: Sequence[CanaryRow], now: int) -> EndpointStatus:
    """The status that these canaries show, the newest first. The endpoint is broken after several failures in a row."""
    with_result = [canary for canary in canaries if canary.arrived_at is not None or find_fault(canary, now)]
    failed: list[CanaryRow] = []
    for canary in with_result:
        if canary.arrived_at is not None:
            break
        failed.append(canary)
    arrived = next((canary for canary in with_result if canary.arrived_at is not None), None)
    fault = find_fault(failed[0], now) if failed else None
    works = None if not with_result else len(failed) < FAILURES_UNTIL_BROKEN
    proven_at = arrived.arrived_at if arrived else None
    took = proven_at - arrived.sent_at if arrived and proven_at is not None and arrived.sent_at is not None else None
    return EndpointStatus(works, fault, failed[-1].sent_at if failed else None, proven_at, took, len(failed))


def find_fault(canary: CanaryRow, now: int) -> str | None:
    """Why a canary has failed; None if it has arrived, or still may."""
    if canary.fault is not None:
        return canary.fault
    is_lost = (
        canary.answered_at is not None and canary.arrived_at is None and canary.answered_at < now - ARRIVAL_TIMEOUT_US
    )
    return NEVER_ARRIVED if is_lost else None


def is_settled(canary: CanaryRow, now: int) -> bool:
    """Whether the result of a canary is final."""
    is_abandoned = canary.answered_at is None and (canary.sent_at or canary.wanted_at) < now - ANSWER_TIMEOUT_US
    return canary.arrived_at is not None or find_fault(canary, now) is not None or is_abandoned
