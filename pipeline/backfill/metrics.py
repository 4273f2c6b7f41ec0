"""Counts what a backfill's steps brought, for Prometheus: only what has been committed, so that no try counts twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.backfill.phases import CUSTOMERS, OTHERS
from pipeline.infra import metrics
from pipeline.ledger.backfills import BackfillRow

_PROFILE_PHASES = (CUSTOMERS, OTHERS)  # the other collections are read before, and told of with their customers


def count_written(before: BackfillRow, changed: Mapping[str, Any]) -> None:
    """A page, or others that were told of: how the row was before, and what has been changed in it."""
    done = changed.get("done", before.done)
    metrics.BACKFILL_PAGES.inc(changed.get("pages", before.pages) - before.pages)
    metrics.BACKFILL_PEOPLE.inc(sum(done.get(name, 0) - before.done.get(name, 0) for name in _PROFILE_PHASES))


def count_wait(seconds: float, *, throttled: bool) -> None:
    """A backfill comes back after so long."""
    metrics.BACKFILL_WAIT_SECONDS.labels("throttled" if throttled else "budget").inc(seconds)
