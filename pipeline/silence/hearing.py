"""What is known of the way in and of silent stores, for everybody who asks: command line, pages, figures, doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.silence.alarms import WAY_IN, AlarmRow, open_alarms
from pipeline.silence.proof import Proof, way_in


@dataclass(frozen=True, slots=True)
class Hearing:
    """At one moment; the oldest alarm first."""

    way_in: Proof
    alarms: Sequence[AlarmRow]


def hearing(db: Connection, now: int, store_id: int | None = None) -> Hearing:
    """All open alarms; or those that concern one store, those about the way in included. What else is the operator's
    is not for the eyes of merchants.
    """
    alarms = [one for one in open_alarms(db) if store_id is None or one.store_id == store_id or one.kind == WAY_IN]
    return Hearing(way_in(db, now), alarms)
