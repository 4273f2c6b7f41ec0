"""What people ask of the ledger, for the command line and for pages. Nothing here writes but `replay_delivery`."""

from pipeline.ledger.reading.backfills import newest_backfills
from pipeline.ledger.reading.backlog import Backlog, LaneBacklog, Wire, backlog
from pipeline.ledger.reading.counts import ConnectionCounts, EventCounts, event_counts, status_counts
from pipeline.ledger.reading.dead import (
    DeadDeliveryShown,
    DeadHookShown,
    DeadKind,
    DeadListed,
    DeadPlace,
    list_dead,
    replay_delivery,
    show_dead,
)
from pipeline.ledger.reading.deliveries import CallShown, DeliveryShown
from pipeline.ledger.reading.events import Concerned, EventFilter, EventListed, EventShown, list_events, show_event
from pipeline.ledger.reading.liveness import MISSED, Arrival, Chain, judge, last_arrival
from pipeline.ledger.reading.people import FactShown, PersonShown, find_person
from pipeline.ledger.reading.reconciliations import (
    ReconciliationShown,
    last_event,
    reconciliations,
    recovered_since,
    week_by_day,
)
from pipeline.ledger.reading.registrations import RegistrationShown, registrations

__all__ = [
    "MISSED",
    "Arrival",
    "Backlog",
    "CallShown",
    "Chain",
    "Concerned",
    "ConnectionCounts",
    "DeadDeliveryShown",
    "DeadHookShown",
    "DeadKind",
    "DeadListed",
    "DeadPlace",
    "DeliveryShown",
    "EventCounts",
    "EventFilter",
    "EventListed",
    "EventShown",
    "FactShown",
    "LaneBacklog",
    "PersonShown",
    "ReconciliationShown",
    "RegistrationShown",
    "Wire",
    "backlog",
    "event_counts",
    "find_person",
    "judge",
    "last_arrival",
    "last_event",
    "list_dead",
    "list_events",
    "newest_backfills",
    "reconciliations",
    "recovered_since",
    "registrations",
    "replay_delivery",
    "show_dead",
    "show_event",
    "status_counts",
    "week_by_day",
]
