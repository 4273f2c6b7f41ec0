"""Sweeps that are not sent: without them nothing that waits is taken up again."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import Cause, Item, Sources
from pipeline.ledger.silence.alarms import OPERATOR
from pipeline.sweeps import unsent

NAME = "sweeps_unsent"
_MICROS = 1_000_000
_EFFECT = "Retries, backfills, alarms and mails wait for them."
_TO_DO = "See that `beat` and a `worker` run and what they log, restart `beat`, and set this machine's clock right."


def _look(sources: Sources) -> Iterator[Item]:
    missed = unsent(sources.redis, sources.now / _MICROS)
    if not missed:
        return
    names = ", ".join(one.name for one in missed)
    headline = f"sweeps have not been sent for three of their intervals: {names}"
    since = min(round(sources.now - abs(one.since_s) * _MICROS) for one in missed)
    yield Item(NAME, "sweeps", OPERATOR, headline, _EFFECT, _TO_DO, since)


CAUSE = Cause(NAME, _look)
