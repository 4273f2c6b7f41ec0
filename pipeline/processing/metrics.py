"""Counts the outcomes of a batch once the ledger holds it."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.hooks import HEARTBEAT, Batch, ValidHook
from pipeline.events.catalogue import is_known_event
from pipeline.infra import metrics
from pipeline.recording.batch import BatchResult

UNKNOWN_EVENT_LABEL = "other"  # for all events that we do not know: a URL may contain any name
_US_PER_S = 1_000_000


def count_batch(batch: Batch, recorded: Iterable[BatchResult], now: int) -> None:
    """Count outcomes, dead hooks and the time each hook spent in each stage; `now` (µs) is when they were recorded."""
    hooks = [hook for hook in batch["hooks"] if hook["source"] != HEARTBEAT]
    if hooks or batch["failed"]:
        metrics.BATCH_SIZES.observe(len(hooks) + len(batch["failed"]))
    for hook in hooks:
        _count_stages(hook, now)
        if aside := hook.get("aside"):
            metrics.UNREADABLE_FIELDS.labels("hook").inc(len(aside))
    for result in recorded:
        for (event, outcome), count in result.outcomes.items():
            metrics.RECORDED_HOOKS.labels(event if is_known_event(event) else UNKNOWN_EVENT_LABEL, outcome).inc(count)
        for (link, reason), count in result.dead_by_reason.items():
            metrics.DEAD_HOOKS.labels(link, reason).inc(count)


def _count_stages(hook: ValidHook, now: int) -> None:
    times = (hook["received_at"], hook["decoded_at"], hook["validated_at"], now)
    for stage, since, until in zip(_STAGE_TIMERS, times, times[1:], strict=False):
        stage.observe(max(0, until - since) / _US_PER_S)


_STAGE_TIMERS = tuple(metrics.STAGE_SECONDS.labels(stage) for stage in ("inbox", "validate", "record"))
