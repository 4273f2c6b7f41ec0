"""How long each revision takes, for the tables that grow with the events: measured by `python -m bench.migrations`."""

from __future__ import annotations

import re
from collections.abc import Mapping

# All other tables have a row for each store, connection, user or hour: no revision takes noticeable time for them.
GROWING_TABLES = frozenset(
    {
        *("events", "event_subjects", "event_people", "bodies", "people", "person_keys", "facts", "gifts"),
        *("deliveries", "calls", "delivery_calls", "introductions", "dead_hooks"),
        *("attribute_changes", "person_terms", "tracking_numbers", "past_events", "event_repeats"),
        *("fulfilment_orders", "fulfilment_packages", "fulfilment_events"),
    }
)
_READS = re.compile(
    r"^\s*(?:CREATE (?:UNIQUE )?INDEX \S+ ON|UPDATE|(?:INSERT|SELECT|DELETE|WITH)\b.*?\bFROM)\s+(\w+)",
    re.DOTALL | re.IGNORECASE,
)


def find_table_read(statement: str) -> str | None:
    """The growing table whose rows a statement of a migration reads; None if it reads none."""
    found = _READS.search(statement)
    return found[1] if found and found[1] in GROWING_TABLES else None


# Seconds for a million rows of the table; a revision that is missing reads no growing table. Measured on 1 December
# 2026 on two cores and a local disk, beside other programs: SQLite with a million events, PostgreSQL 15 with 300,000.
COSTS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "0009": {"deliveries": {"sqlite": 2.23, "postgresql": 1.39}, "people": {"sqlite": 0.24, "postgresql": 0.74}},
    "0011": {"person_keys": {"sqlite": 0.11, "postgresql": 0.24}, "gifts": {"sqlite": 0.7, "postgresql": 0.5}},
    "0013": {
        "events": {"sqlite": 0.0},
        "people": {"sqlite": 0.0},
        "deliveries": {"sqlite": 0.0},
        "calls": {"sqlite": 0.0},
        "dead_hooks": {"sqlite": 0.0},
    },
    "0016": {"dead_hooks": {"sqlite": 0.08, "postgresql": 0.26}},
    "0017": {"dead_hooks": {"sqlite": 0.08, "postgresql": 0.56}},
    "0019": {"people": {"sqlite": 0.19, "postgresql": 0.71}},
    "0021": {
        "introductions": {"sqlite": 0.2, "postgresql": 0.72},
        "delivery_calls": {"sqlite": 0.24, "postgresql": 0.54},
    },
    "0022": {"events": {"sqlite": 1.54, "postgresql": 5.11}},
    "0027": {"people": {"sqlite": 0.66, "postgresql": 2.08}},
    "0028": {
        "events": {"sqlite": 1.99, "postgresql": 4.27},
        "deliveries": {"sqlite": 1.69, "postgresql": 1.97},
        "dead_hooks": {"sqlite": 0.45, "postgresql": 1.47},
    },
    "0029": {"events": {"sqlite": 5.24, "postgresql": 9.8}, "past_events": {"sqlite": 0.06, "postgresql": 0.1}},
    "0034": {"events": {"sqlite": 0.81, "postgresql": 0.84}},
    "0040": {"fulfilment_orders": {"sqlite": 0.68, "postgresql": 1.93}},
    "0041": {
        "fulfilment_orders": {"sqlite": 0.18, "postgresql": 0.51},
        "fulfilment_packages": {"sqlite": 0.31, "postgresql": 0.66},
    },
    "0043": {"fulfilment_orders": {"sqlite": 0.35, "postgresql": 1.22}},
    "0047": {"fulfilment_orders": {"sqlite": 1.26, "postgresql": 8.89}},
}
REWRITE_S_PER_GB = 13.6  # of SQLite's file
