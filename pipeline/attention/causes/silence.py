"""Silent stores and a public endpoint that does not work: `pipeline.monitoring` opens and ends these alarms itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.rows import ENDPOINT, MERCHANT, OPERATOR, SILENCE, AlarmRow
from pipeline.monitoring.messages import build_headline, build_sentence

_SILENCE_TO_DO = (
    "Look in the shop whether it sold anything meanwhile; if it did: `cratewire hooks audit --store {store}`."
)
_ENDPOINT_TO_DO = (
    "Look at CRATEWIRE_PUBLIC_URL, its name, its certificate and the proxy; docs/monitoring.md has a list."
)


def _find_silences(context: Context) -> Iterator[AttentionItem]:
    for row in _load_alarms(context, SILENCE):
        yield _build_item(row, MERCHANT, _SILENCE_TO_DO.format(store=row.store))


def _find_broken_endpoint(context: Context) -> Iterator[AttentionItem]:
    for row in _load_alarms(context, ENDPOINT):
        yield _build_item(row, OPERATOR, _ENDPOINT_TO_DO)


def _load_alarms(context: Context, kind: str) -> list[AlarmRow]:
    with reading(context.engine) as conn:
        return list_open_alarms(conn, kind=kind)


def _build_item(row: AlarmRow, audience: str, to_do: str) -> AttentionItem:
    return AttentionItem(
        row.kind,
        "/".join(filter(None, (row.store, row.event))),
        audience,
        build_headline(row),
        build_sentence(row),
        to_do,
        row.last_at or row.since,
        row.store,
        row.store_id,
        tuple(row.tried),
        row.reason,
        alarm_id=row.id,
        told_at=row.told_at,
    )


SILENCE_CAUSE = Cause(SILENCE, _find_silences, manages_alarms=False)
ENDPOINT_CAUSE = Cause(ENDPOINT, _find_broken_endpoint, manages_alarms=False)
