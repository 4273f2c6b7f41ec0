"""Counts what became of a batch once the ledger holds it."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline import metrics
from pipeline.events.table import is_known
from pipeline.model import HEARTBEAT, Batch, ValidHook
from pipeline.record.batch import Recorded

OTHER = "other"  # all events we do not know: an address may name any
_MICROS = 1_000_000


def count_batch(batch: Batch, recorded: Iterable[Recorded], now: int) -> None:
    """Outcomes, deaths and the time of every hook in each stage; `now` is when they were recorded."""
    hooks = [hook for hook in batch["hooks"] if hook["source"] != HEARTBEAT]
    if hooks or batch["failed"]:
        metrics.BATCHES.observe(len(hooks) + len(batch["failed"]))
    for hook in hooks:
        _count_stages(hook, now)
        if aside := hook.get("aside"):
            metrics.SET_ASIDE.labels("hook").inc(len(aside))
    for part in recorded:
        for (event, outcome), times in part.outcomes.items():
            metrics.RECORDED.labels(event if is_known(event) else OTHER, outcome).inc(times)
        for (link, reason), times in part.deaths.items():
            metrics.DIED.labels(link, reason).inc(times)


def _count_stages(hook: ValidHook, now: int) -> None:
    moments = (hook["received_at"], hook["decoded_at"], hook["validated_at"], now)
    for stage, since, until in zip(_STAGES, moments, moments[1:], strict=False):
        stage.observe(max(0, until - since) / _MICROS)


_STAGES = tuple(metrics.STAGES.labels(stage) for stage in ("inbox", "validate", "record"))
