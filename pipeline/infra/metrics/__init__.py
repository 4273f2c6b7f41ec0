"""Everything that is counted, for Prometheus. A process counts in memory; `shared` adds it to the fleet's totals.

No label may tell who somebody is: events, outcomes and reasons are closed sets, connections and lanes are numbers.
What can be looked up, such as how much waits, is not counted but asked for when somebody looks.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a fleet's total has no one time of birth

REGISTRY = CollectorRegistry()

_FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def _counter(name: str, description: str, *labels: str) -> Counter:
    return Counter(name, description, labels, registry=REGISTRY)


def _histogram(name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, description, labels, buckets=buckets, registry=REGISTRY)


# The way in
HOOKS = _counter("cratewire_hooks", "Hooks by the way they were kept: inbox, spool or refused.", "way")
for way in ("inbox", "spool", "refused"):
    HOOKS.labels(way)  # there from the start: the first refusal is an increase only of what was 0 before
REJECTED_HOOKS = _counter(
    "cratewire_turned_away_hooks", "Hooks that were not taken and are lost, by the status they were answered.", "status"
)
REJECTED_SIGNED_HOOKS = _counter(
    "cratewire_turned_away_signed_hooks", "Of these, those that came with a token of ours, by the status.", "status"
)
for status in ("400", "404", "405", "408", "410", "413", "415", "503"):
    REJECTED_HOOKS.labels(status)
    REJECTED_SIGNED_HOOKS.labels(status)
REJECTED_PAGE_REQUESTS = _counter(
    "cratewire_turned_away_page_requests",
    "Requests to pages whose body was not read, by the status they were answered.",
    "status",
)
for status in ("400", "408", "413", "503"):
    REJECTED_PAGE_REQUESTS.labels(status)
SPOOL_DRAINED = _counter("cratewire_spool_drained", "Hooks that went from the spool on to the inbox.")
ACKNOWLEDGEMENT_SECONDS = _histogram(
    "cratewire_acknowledgement_seconds", "From the last byte of a hook's body to its answer.", _FAST
)
WRITE_SIZES = _histogram("cratewire_write_hooks", "Hooks that were made durable together.", _SIZES)

# The chain
BATCH_SIZES = _histogram("cratewire_batch_hooks", "Hooks that went through the chain together.", _SIZES)
LINK_SECONDS = _histogram(
    "cratewire_link_seconds", "How long one link of the chain, or one run of a lane, held a process.", _SLOW, "link"
)
STAGE_SECONDS = _histogram(
    "cratewire_stage_seconds",
    "Time of a hook in each stage: inbox (until decoded), validate, record, and deliver (until the platform had it).",
    _SLOW,
    "stage",
)
RECORDED_HOOKS = _counter(
    "cratewire_recorded_hooks", "Hooks by event and what became of them, dead ones too.", "event", "outcome"
)
DEAD_HOOKS = _counter(
    "cratewire_dead_hooks", "Hooks that could not go on, by the link and the reason.", "link", "reason"
)
UNREADABLE_FIELDS = _counter(
    "cratewire_set_aside_fields",
    "Fields that could not be read while the rest of their hook, or of their object of a store's API, could.",
    "source",
)

# The way out
DELIVERIES = _counter(
    "cratewire_deliveries", "Deliveries tried, by outcome: sent, dead or put off.", "connection", "outcome"
)
CALLS = _counter("cratewire_calls", "HTTP calls to platforms, by the status of the answer.", "connection", "status")
CALL_SECONDS = _histogram("cratewire_call_seconds", "From a call to its answer.", _SLOW, "connection")
BUDGET_WAITS = _counter("cratewire_budget_waits", "How often a lane waited for its account's budget.", "connection")
BUDGET_WAIT_SECONDS = _counter("cratewire_budget_wait_seconds", "How long, in all.", "connection")

# What is asked of stores
STORE_CALLS = _counter("cratewire_store_calls", "Requests to stores' APIs, by the status of the answer.", "status")
BACKFILL_PAGES = _counter("cratewire_backfill_pages", "Pages of stores' collections that backfills have read.")
BACKFILL_PEOPLE = _counter("cratewire_backfill_people", "People backfills have told of, each once per backfill.")
BACKFILL_WAIT_SECONDS = _counter(
    "cratewire_backfill_wait_seconds",
    "How long backfills waited, in all: because a store had said so (throttled) or for its rate (budget).",
    "reason",
)

# What no hook has told
OBSERVED_EVENTS = _counter("cratewire_shown_happenings", "Happenings a store's API showed, each once.")
MISSED_HOOKS = _counter("cratewire_missed_hooks", "Of these, those no hook had told of in time.")

# Ourselves
FAILED_TASKS = _counter("cratewire_failed_tasks", "Tasks that ended by an error, a server being away included.", "task")
STALLED_WORKERS = _counter("cratewire_deaf_workers", "Workers that ended themselves because they heard nothing.")
