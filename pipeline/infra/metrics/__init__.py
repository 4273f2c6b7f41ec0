"""The metrics for Prometheus. A process counts in memory; `metrics.fleet` adds its counts to the fleet's totals.

No label may identify a person: events, outcomes and reasons are closed sets, connections and lanes are numbers. Values
that can be queried, such as how many hooks wait, are not counted but read when Prometheus asks.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a fleet's total has no single time of creation

REGISTRY = CollectorRegistry()

_FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def _counter(name: str, description: str, *labels: str) -> Counter:
    return Counter(name, description, labels, registry=REGISTRY)


def _histogram(name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, description, labels, buckets=buckets, registry=REGISTRY)


# Ingest
HOOKS = _counter("cratewire_hooks", "Hooks by route: inbox, spool or refused.", "way")
for route in ("inbox", "spool", "refused"):
    HOOKS.labels(route)  # from the start: the first refusal only shows as an increase if the series was 0 before
REJECTED_HOOKS = _counter("cratewire_turned_away_hooks", "Hooks rejected, by HTTP status.", "status")
REJECTED_SIGNED_HOOKS = _counter(
    "cratewire_turned_away_signed_hooks", "Rejected hooks that had a valid token, by HTTP status.", "status"
)
for status in ("400", "404", "405", "408", "410", "413", "415", "503"):
    REJECTED_HOOKS.labels(status)
    REJECTED_SIGNED_HOOKS.labels(status)
REJECTED_PAGE_REQUESTS = _counter(
    "cratewire_turned_away_page_requests",
    "Requests to pages rejected before their body was read, by HTTP status.",
    "status",
)
for status in ("400", "408", "413", "503"):
    REJECTED_PAGE_REQUESTS.labels(status)
SPOOL_DRAINED = _counter("cratewire_spool_drained", "Hooks moved from the spool to the inbox.")
ACKNOWLEDGEMENT_SECONDS = _histogram(
    "cratewire_acknowledgement_seconds", "From the last byte of a hook's body to its response.", _FAST
)
WRITE_SIZES = _histogram("cratewire_write_hooks", "Hooks made durable in one write.", _SIZES)

# The chain
BATCH_SIZES = _histogram("cratewire_batch_hooks", "Hooks in one batch of the chain.", _SIZES)
LINK_SECONDS = _histogram(
    "cratewire_link_seconds", "How long one link of the chain, or one run of a lane, occupied a process.", _SLOW, "link"
)
STAGE_SECONDS = _histogram(
    "cratewire_stage_seconds",
    "Time of a hook in each stage: inbox (until decoded), validate, record, and deliver (until it is sent).",
    _SLOW,
    "stage",
)
RECORDED_HOOKS = _counter(
    "cratewire_recorded_hooks", "Hooks by event and outcome, including dead ones.", "event", "outcome"
)
DEAD_HOOKS = _counter("cratewire_dead_hooks", "Dead hooks, by link and reason.", "link", "reason")
UNREADABLE_FIELDS = _counter(
    "cratewire_set_aside_fields",
    "Unreadable fields that were set aside from a hook or an object of a store's API, the rest of which was read.",
    "source",
)

# Delivery
DELIVERIES = _counter(
    "cratewire_deliveries", "Delivery attempts by outcome: sent, dead or put off.", "connection", "outcome"
)
CALLS = _counter("cratewire_calls", "HTTP calls to platforms, by the status of the response.", "connection", "status")
CALL_SECONDS = _histogram("cratewire_call_seconds", "From a call to its response.", _SLOW, "connection")
BUDGET_WAITS = _counter(
    "cratewire_budget_waits", "How often a lane waited for its account's rate budget.", "connection"
)
BUDGET_WAIT_SECONDS = _counter(
    "cratewire_budget_wait_seconds", "How long lanes waited for their accounts' rate budgets.", "connection"
)

# Stores' APIs
STORE_CALLS = _counter("cratewire_store_calls", "Requests to stores' APIs, by the status of the response.", "status")
LOOKUPS = _counter(
    "cratewire_lookups",
    "Look-ups in stores' APIs, by kind and result: found, nothing or failed.",
    "kind",
    "result",
)
BACKFILL_PAGES = _counter("cratewire_backfill_pages", "Pages of stores' collections read by backfills.")
BACKFILL_PEOPLE = _counter("cratewire_backfill_people", "People in backfills, each counted once per backfill.")
BACKFILL_WAIT_SECONDS = _counter(
    "cratewire_backfill_wait_seconds",
    "How long backfills waited: because a store asked for it (throttled), or for the store's rate budget (budget).",
    "reason",
)

# Fulfilment
WAREHOUSE_CALLS = _counter(
    "cratewire_warehouse_calls", "HTTP calls to warehouses, by the status of the response.", "status"
)
FULFILMENT_ORDERS = _counter("cratewire_fulfilment_orders", "Boxes that came into this state.", "state")
FOREIGN_TRACKING = _counter(
    "cratewire_foreign_tracking", "Shipped orders that a warehouse has shown and that belong to other shops."
)

# Reconciliation
OBSERVED_EVENTS = _counter("cratewire_shown_happenings", "Events found in stores' APIs, each counted once.")
MISSED_HOOKS = _counter("cratewire_missed_hooks", "Events found in stores' APIs whose hook had not arrived in time.")

# Workers
FAILED_TASKS = _counter(
    "cratewire_failed_tasks", "Tasks that failed, including those that failed because a server was unavailable.", "task"
)
STALLED_WORKERS = _counter("cratewire_deaf_workers", "Workers that stopped consuming and exited for a restart.")
