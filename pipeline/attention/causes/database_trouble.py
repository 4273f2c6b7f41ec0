"""Tasks fail of the database itself: no hook becomes an event and nothing is sent, until that is mended."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import OPERATOR
from pipeline.monitoring.database_trouble import get_reported_trouble

NAME = "database_trouble"
MIN_DURATION_US = 60_000_000  # a lock or a restart is over by then
_EFFECT = "Hooks are kept in the inbox and become events, in their order, as soon as it is mended."


def _find_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    found = get_reported_trouble(context.redis)
    if found is not None and found.since + MIN_DURATION_US <= now:
        headline = f"{found.says} ({found.code})"
        tried = (f"{found.task} keeps trying, and failed again within the last minute.",)
        yield AttentionItem(
            NAME, "database", OPERATOR, headline, _EFFECT, found.advice, found.since, tried=tried, reason=found.code
        )


CAUSE = Cause(NAME, _find_items)
