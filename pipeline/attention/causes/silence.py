"""Silent stores and a public endpoint that does not work: `pipeline.monitoring` opens and ends these alarms itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.rows import ENDPOINT, MERCHANT, OPERATOR, SILENCE, AlarmRow
from pipeline.monitoring.messages import build_headline, build_sentence, build_to_do


def _find_silences(context: Context) -> Iterator[AttentionItem]:
    for row in _load_alarms(context, SILENCE):
        yield build_item(row)


def _find_broken_endpoint(context: Context) -> Iterator[AttentionItem]:
    for row in _load_alarms(context, ENDPOINT):
        yield build_item(row)


def _load_alarms(context: Context, kind: str) -> list[AlarmRow]:
    with reading(context.engine) as conn:
        return list_open_alarms(conn, kind=kind)


def build_item(row: AlarmRow) -> AttentionItem:
    """The item of an alarm without texts of its own: their words are built when they are shown."""
    is_endpoint = row.kind == ENDPOINT
    audience = OPERATOR if is_endpoint else MERCHANT
    return AttentionItem(
        row.kind,
        "/".join(filter(None, (row.store, row.event))),
        audience,
        build_headline(row),
        build_sentence(row),
        build_to_do(row),
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
