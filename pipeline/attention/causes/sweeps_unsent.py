"""Sweeps that are not sent: without them nothing that waits is taken up again."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import OPERATOR
from pipeline.monitoring.beat_schedule import find_unsent_sweeps

NAME = "sweeps_unsent"
_SECOND_US = 1_000_000
_EFFECT = "Retries, backfills, alarms and mails wait for them."
_TO_DO = "See that `beat` and a `worker` run and what they log, restart `beat`, and set this machine's clock right."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    missed = find_unsent_sweeps(context.redis, now / _SECOND_US)
    if not missed:
        return
    names = ", ".join(one.name for one in missed)
    headline = f"sweeps have not been sent for three of their intervals: {names}"
    since = min(round(now - abs(one.unsent_for_s) * _SECOND_US) for one in missed)
    yield AttentionItem(NAME, "sweeps", OPERATOR, headline, _EFFECT, _TO_DO, since)


CAUSE = Cause(NAME, _find_items)
