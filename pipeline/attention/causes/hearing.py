"""Stores that are silent and a way in that does not work: `pipeline.silence` opens and ends their alarms itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import Cause, Item, Sources
from pipeline.ledger.engine import reading
from pipeline.ledger.silence.alarms import MERCHANT, OPERATOR, SILENCE, WAY_IN, AlarmRow, open_alarms
from pipeline.silence.words import headline_of, sentence_of

_SILENT = "Look in the shop whether it sold anything meanwhile; if it did: `cratewire hooks audit --store {store}`."
_BROKEN = "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/silence.md has a list."


def _silence(sources: Sources) -> Iterator[Item]:
    for row in _open(sources, SILENCE):
        yield _item(row, MERCHANT, _SILENT.format(store=row.store))


def _way_in(sources: Sources) -> Iterator[Item]:
    for row in _open(sources, WAY_IN):
        yield _item(row, OPERATOR, _BROKEN)


def _open(sources: Sources, kind: str) -> list[AlarmRow]:
    with reading(sources.engine) as db:
        return open_alarms(db, kind=kind)


def _item(row: AlarmRow, audience: str, to_do: str) -> Item:
    return Item(
        row.kind,
        "/".join(filter(None, (row.store, row.event))),
        audience,
        headline_of(row),
        sentence_of(row),
        to_do,
        row.last_at or row.since,
        row.store,
        row.store_id,
        tuple(row.tried),
        row.reason,
        alarm_id=row.id,
        told_at=row.told_at,
    )


SILENCE_CAUSE = Cause(SILENCE, _silence, is_noted=False)
WAY_IN_CAUSE = Cause(WAY_IN, _way_in, is_noted=False)
