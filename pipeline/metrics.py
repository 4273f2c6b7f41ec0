"""The numbers a web process counts about hooks, for Prometheus; each process has its own."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

HOOKS = Counter("cratewire_hooks", "Hooks by the way they were kept: inbox, spool or refused.", ["way"])
DRAINED = Counter("cratewire_spool_drained", "Hooks that went from the spool on to the inbox.")
ACKNOWLEDGED = Histogram(
    "cratewire_acknowledgement_seconds",
    "From the last byte of a hook's body to its answer.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
