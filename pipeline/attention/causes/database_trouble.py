"""Tasks fail of the database itself: no hook becomes an event and nothing is sent, until that is mended."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import Cause, Item, Sources
from pipeline.ledger.silence.alarms import OPERATOR
from pipeline.troubles import trouble_now

NAME = "database_trouble"
AFTER_US = 60_000_000  # a lock or a restart is over by then
_EFFECT = "Hooks are kept in the inbox and become events, in their order, as soon as it is mended."


def _look(sources: Sources) -> Iterator[Item]:
    found = trouble_now(sources.redis)
    if found is not None and found.since + AFTER_US <= sources.now:
        headline = f"{found.says} ({found.code})"
        tried = (f"{found.task} keeps trying, and failed again within the last minute.",)
        yield Item(
            NAME, "database", OPERATOR, headline, _EFFECT, found.advice, found.since, tried=tried, reason=found.code
        )


CAUSE = Cause(NAME, _look)
