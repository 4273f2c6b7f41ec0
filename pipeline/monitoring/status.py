"""What is known of the way in and of silent stores, for everybody who asks: command line, pages, figures, doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.ledger.monitoring.alarms import ENDPOINT, AlarmRow, list_open_alarms
from pipeline.monitoring.canary_status import EndpointStatus, get_endpoint_status


@dataclass(frozen=True, slots=True)
class HookHealth:
    """At one moment; the oldest alarm first."""

    endpoint: EndpointStatus
    alarms: Sequence[AlarmRow]


def get_hook_health(conn: Connection, now: int, store_id: int | None = None) -> HookHealth:
    """All open alarms; or those that concern one store, those about the way in included. What else is the operator's
    is not for the eyes of merchants.
    """
    alarms = [
        one for one in list_open_alarms(conn) if store_id is None or one.store_id == store_id or one.kind == ENDPOINT
    ]
    return HookHealth(get_endpoint_status(conn, now), alarms)
