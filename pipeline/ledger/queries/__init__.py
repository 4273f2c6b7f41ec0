"""Queries for the command line, the API and the pages. None of them writes."""

from pipeline.ledger.backfills import load_newest_backfills
from pipeline.ledger.queries.activity import (
    Activity,
    PlatformState,
    list_activity,
    load_activities,
    load_change_tokens,
)
from pipeline.ledger.queries.activity_filter import ActivityFilter, Show
from pipeline.ledger.queries.backlog import Backlog, ConnectionSummary, LaneBacklog, load_backlog
from pipeline.ledger.queries.chain_status import (
    MAX_MISSED_HEARTBEATS,
    ChainStatus,
    HeartbeatArrival,
    assess_chain,
    find_last_heartbeat,
)
from pipeline.ledger.queries.counts import ConnectionCounts, EventCounts, count_by_connection, count_events
from pipeline.ledger.queries.dead_letters import (
    DeadDeliveryDetail,
    DeadHookDetail,
    DeadLetterCursor,
    DeadLetterKind,
    DeadLetterSummary,
    get_dead_letter,
    list_dead_letters,
)
from pipeline.ledger.queries.deliveries import CallDetail, DeliveryDetail
from pipeline.ledger.queries.event_hours import (
    ArrivalTimes,
    UsualRange,
    count_day,
    load_arrival_times,
    load_event_hours,
    load_usual_days,
    load_usual_hours,
)
from pipeline.ledger.queries.events import (
    EventDetail,
    EventFilter,
    EventRecipient,
    EventSummary,
    get_event,
    list_events,
    load_notes,
)
from pipeline.ledger.queries.flow import Flow, FlowCounts, FlowPart, list_numbers, load_flow
from pipeline.ledger.queries.people import FactDetail, PersonDetail, choose_name, find_people, get_person
from pipeline.ledger.queries.reconciliations import (
    ReconciliationSummary,
    count_last_week,
    count_recovered_since,
    find_newest_event_id,
    list_reconciliations,
)
from pipeline.ledger.queries.registrations import RegistrationSummary, list_registrations
from pipeline.ledger.queries.retention import KeptData, list_kept_data

__all__ = [
    "MAX_MISSED_HEARTBEATS",
    "Activity",
    "ActivityFilter",
    "ArrivalTimes",
    "Backlog",
    "CallDetail",
    "ChainStatus",
    "ConnectionCounts",
    "ConnectionSummary",
    "DeadDeliveryDetail",
    "DeadHookDetail",
    "DeadLetterCursor",
    "DeadLetterKind",
    "DeadLetterSummary",
    "DeliveryDetail",
    "EventCounts",
    "EventDetail",
    "EventFilter",
    "EventRecipient",
    "EventSummary",
    "FactDetail",
    "Flow",
    "FlowCounts",
    "FlowPart",
    "HeartbeatArrival",
    "KeptData",
    "LaneBacklog",
    "PersonDetail",
    "PlatformState",
    "ReconciliationSummary",
    "RegistrationSummary",
    "Show",
    "UsualRange",
    "assess_chain",
    "choose_name",
    "count_by_connection",
    "count_day",
    "count_events",
    "count_last_week",
    "count_recovered_since",
    "find_last_heartbeat",
    "find_newest_event_id",
    "find_people",
    "get_dead_letter",
    "get_event",
    "get_person",
    "list_activity",
    "list_dead_letters",
    "list_events",
    "list_kept_data",
    "list_numbers",
    "list_reconciliations",
    "list_registrations",
    "load_activities",
    "load_arrival_times",
    "load_backlog",
    "load_change_tokens",
    "load_event_hours",
    "load_flow",
    "load_newest_backfills",
    "load_notes",
    "load_usual_days",
    "load_usual_hours",
]
