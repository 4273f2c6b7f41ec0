"""What canaries prove of the way in: hooks that we send to our own public address, and that come back or do not.

One that comes back has passed the name, the certificate, the proxy, the receiver, the inbox and the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.monitoring.canaries import CanaryRow, list_newest_canaries

SECOND_US = 1_000_000
ARRIVAL_TIMEOUT_US = 300 * SECOND_US  # how long one that was taken may be on its way to the ledger
ANSWER_TIMEOUT_US = 180 * SECOND_US  # a worker that has sent one and noted no answer was killed
FAILURES_UNTIL_BROKEN = 3  # in a row, before anybody is alarmed: one may fall into a restart
_MAX_CANARIES = 20

NEVER_ARRIVED = "taken, and not in the ledger five minutes later: do the workers run?"


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """What the last canaries say of the way in. `works` None: none has come to its end yet."""

    works: bool | None
    fault: str | None = None
    since: int | None = None  # when the first of those in a row that failed was sent
    proven_at: int | None = None  # when the last one that came back did
    took_us: int | None = None  # how long that one took
    failures: int = 0  # in a row


def find_fault(canary: CanaryRow, now: int) -> str | None:
    """Why it proves nothing; None if it came back, or may still."""
    if canary.fault is not None:
        return canary.fault
    late = (
        canary.answered_at is not None and canary.arrived_at is None and canary.answered_at < now - ARRIVAL_TIMEOUT_US
    )
    return NEVER_ARRIVED if late else None


def is_settled(canary: CanaryRow, now: int) -> bool:
    """Whether nothing more is to be learned from it."""
    lost = canary.answered_at is None and (canary.sent_at or canary.wanted_at) < now - ANSWER_TIMEOUT_US
    return canary.arrived_at is not None or find_fault(canary, now) is not None or lost


def compute_status(canaries: Sequence[CanaryRow], now: int) -> EndpointStatus:
    """What they prove; the newest comes first. It takes several failures in a row to call the way in broken."""
    told = [one for one in canaries if one.arrived_at is not None or find_fault(one, now) is not None]
    failed: list[CanaryRow] = []
    for one in told:
        if one.arrived_at is not None:
            break
        failed.append(one)
    good = next((one for one in told if one.arrived_at is not None), None)
    fault = find_fault(failed[0], now) if failed else None
    works = None if not told else len(failed) < FAILURES_UNTIL_BROKEN
    proven_at = good.arrived_at if good else None
    took = proven_at - good.sent_at if good and proven_at is not None and good.sent_at is not None else None
    return EndpointStatus(works, fault, failed[-1].sent_at if failed else None, proven_at, took, len(failed))


def get_endpoint_status(conn: Connection, now: int) -> EndpointStatus:
    """As it stands now."""
    return compute_status(list_newest_canaries(conn, _MAX_CANARIES), now)
