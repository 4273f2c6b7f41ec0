"""What Prometheus is told of how things stand now, one row per gauge. Nothing here is counted: it is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {  # name -> (what it says, labels)
    "cratewire_ready": (
        "1 if this part does its work: hooks (they are kept), chain (they become events), way_in (canaries come back).",
        ("part",),
    ),
    "cratewire_source_up": ("1 if what is told of it could be looked up.", ("source",)),
    "cratewire_ledger_trouble_seconds": ("How long tasks have failed of the database, by its own code.", ("code",)),
    "cratewire_heartbeat_age_seconds": ("Since a heartbeat last came all the way to the ledger.", ()),
    "cratewire_heartbeat_took_seconds": ("How long the last one took.", ()),
    "cratewire_canary_age_seconds": ("Since a canary last came back through the public address.", ()),
    "cratewire_canary_took_seconds": ("How long the last one took.", ()),
    "cratewire_attention": ("Things that need a person, by cause.", ("cause",)),
    "cratewire_silence_seconds": ("How long a store has been silent that should not be.", ("store", "event")),
    "cratewire_backfill_state": ("1 for the state of a store's newest backfill.", ("store", "state")),
    "cratewire_backfill_read_pages": ("Pages it has read.", ("store",)),
    "cratewire_backfill_expected_pages": ("Pages it will have read when it ends, as far as is known.", ("store",)),
    "cratewire_backfill_rest_seconds": ("How long it still rests before its next step, while it runs.", ("store",)),
    "cratewire_backfill_overdue_seconds": ("How long its next step has been due, while it runs.", ("store",)),
    "cratewire_reconciliation_age_seconds": (
        "Since the last moment up to which a store's API has been compared completely.",
        ("store",),
    ),
    "cratewire_missed_hooks_ratio": ("The share of a store's hooks of seven days that never came.", ("store",)),
    "cratewire_spool_hooks": ("Hooks on this web process's disk.", ()),
    "cratewire_spool_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_inbox_hooks": ("Hooks the ledger does not hold yet.", ()),
    "cratewire_inbox_oldest_seconds": ("How long the oldest of them has been waiting.", ()),
    "cratewire_rate_factor": ("The part of its account's rate a connection may use.", ("connection",)),
    "cratewire_rate_pause_seconds": ("How long its account is still paused, because it told us so.", ("connection",)),
    "cratewire_connection_active": ("0 if somebody must mend it.", ("connection", "store", "platform")),
    "cratewire_lane_deliveries": ("Deliveries that wait in a lane.", ("connection", "lane")),
    "cratewire_lane_oldest_seconds": ("How long the oldest of them has been waiting.", ("connection", "lane")),
    "cratewire_lane_rest_seconds": ("How long the lane still rests after a failure.", ("connection", "lane")),
    "cratewire_due_oldest_seconds": ("The oldest delivery that could leave now and has not.", ()),
    "cratewire_dead_hooks_waiting": ("Hooks that could not go on and were not replayed.", ()),
    "cratewire_dead_deliveries_waiting": ("Deliveries the platform will not take.", ("connection",)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one gauge; `labels` in the order of its row."""

    gauge: str
    value: float
    labels: tuple[str, ...] = ()


def build_gauge_families(samples: Iterable[Sample]) -> Iterator[GaugeMetricFamily]:
    """Every gauge with what was seen of it; one nobody could look up has no value."""
    values: Mapping[str, list[Sample]] = {name: [] for name in GAUGES}
    for one in samples:
        values[one.gauge].append(one)
    for name, (says, labels) in GAUGES.items():
        family = GaugeMetricFamily(name, says, labels=labels)
        for one in values[name]:
            family.add_metric(one.labels, one.value)
        yield family
