"""Boxes that need a person: held, failed, left although cancelled; tracking of no box; a warehouse that is paused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.fulfilment import State
from pipeline.core.plural import pluralize
from pipeline.fulfilment.pauses import describe_pause
from pipeline.fulfilment.rules.reasons import REASONS
from pipeline.fulfilment.stored_settings import find_no_tracking_days
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import LIVE, PAUSED, WarehouseRow, list_warehouses
from pipeline.ledger.monitoring.rows import MERCHANT
from pipeline.ledger.queries.fulfilment import (
    DAY_US,
    HOUR_US,
    Age,
    AttentionBoxes,
    list_ages,
    list_boxes_for_people,
    list_late_boxes,
    list_notices,
)
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.fulfilment import QuarantinedTracking

PAUSED_NAME, AWAY_NAME, BOXES_NAME = "warehouse_paused", "warehouse_takes_nothing", "boxes_held"
NOTICES_NAME, QUARANTINE_NAME, LATE_NAME, OLD_NAME = "boxes_changed", "tracking_quarantined", "boxes_late", "boxes_old"
OLD_US = 14 * DAY_US  # in one state on its way; the three lists show sooner what is late in another way
AWAY_US = HOUR_US  # so long a warehouse may have no answer before a person is asked
_SHOWN = 3  # order numbers in a headline


@dataclass(frozen=True, slots=True)
class _Shop:
    """A store with a warehouse."""

    row: WarehouseRow
    name: str


def _list_shops(conn: Connection) -> list[_Shop]:
    names = {row.id: row.name for row in conn.execute(select(Store.id, Store.name))}
    return [_Shop(row, names[row.store_id]) for row in list_warehouses(conn) if row.store_id in names]


def _find_paused(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as conn:
        shops = _list_shops(conn)
    for shop in shops:
        if shop.row.status == PAUSED:
            headline = f"{shop.name}: its warehouse is paused: {shop.row.status_reason}"
            effect = describe_pause(shop.row)
            to_do = f"Mend the cause, then `cratewire fulfilment resume --store {shop.name}`."
            yield _build(PAUSED_NAME, shop, headline, effect, to_do, shop.row.status_at, reason=shop.row.status_reason)


def _find_away(context: Context) -> Iterator[AttentionItem]:
    """The warehouse has had no answer for so long that a person is asked."""
    with reading(context.engine) as conn:
        shops = [shop for shop in _list_shops(conn) if shop.row.is_live and shop.row.trouble == "no_answer"]
    for shop in shops:
        if shop.row.failures >= _MANY_FAILURES:
            headline = f"{shop.name}: its warehouse does not answer"
            effect = "Boxes wait, and go out when it answers; each is tried hourly for 15 days."
            to_do = "Ask the warehouse whether its interface is down."
            since = shop.row.wait_until - AWAY_US
            yield _build(AWAY_NAME, shop, headline, effect, to_do, since, reason=shop.row.trouble)


_MANY_FAILURES = 8  # in a row; the pauses between them double up to ten minutes


def _find_boxes(context: Context) -> Iterator[AttentionItem]:
    """One item for each reason."""
    with reading(context.engine) as conn:
        found = [(shop, list_boxes_for_people(conn, shop.row.store_id)) for shop in _list_shops(conn)]
    for shop, groups in found:
        for group in groups:
            if shop.row.mode != LIVE and group.state != State.CANCEL_REFUSED:
                continue  # in dry run only what a warehouse before it sends all the same cannot wait
            says, cure = _explain(group)
            state = group.state.replace("_", " ")
            headline = f"{shop.name}: {_name(group)} {_are(group.count)} {state}: {says}"
            effect = "They do not go out, or what became of them is not known; all other boxes go on."
            command = f"`cratewire fulfilment orders --store {shop.name} --state {group.state} --reason {group.reason}`"
            to_do = f"{cure} {command} lists them.".strip()
            item = _build(BOXES_NAME, shop, headline, effect, to_do, group.first_at, group=group)
            yield replace(item, facts=_lead_to("needs_you", group.numbers, group.count, group.reason))


def _find_notices(context: Context) -> Iterator[AttentionItem]:
    with reading(context.engine) as conn:
        found = [(shop, list_notices(conn, shop.row.store_id)) for shop in _list_shops(conn)]
    for shop, groups in found:
        for group in groups:
            says, cure = _explain(group)
            headline = f"{shop.name}: {_name(group)}: {says}"
            effect = "The warehouse has the box as it was sent."
            to_do = f"{cure} `cratewire fulfilment show NUMBER --store {shop.name}` says what happened to it.".strip()
            item = _build(NOTICES_NAME, shop, headline, effect, to_do, group.first_at, group=group)
            yield replace(item, facts=_lead_to("all", group.numbers, group.count, group.reason))


def _find_quarantined(context: Context) -> Iterator[AttentionItem]:
    columns = (
        func.count().label("number"),
        func.min(QuarantinedTracking.found_at),
        func.max(QuarantinedTracking.found_at),
    )
    with reading(context.engine) as conn:
        shops = _list_shops(conn)
        open_ = select(QuarantinedTracking.store_id, *columns).where(QuarantinedTracking.outcome.is_(None))
        found = {row[0]: row[1:] for row in conn.execute(open_.group_by(QuarantinedTracking.store_id))}
    for shop in shops:
        if shop.row.store_id in found:
            count, first, last = found[shop.row.store_id]
            parcels = pluralize(count, "parcel")
            headline = f"{shop.name}: its warehouse has shown {parcels} of no box that was sent"
            effect = "Their tracking is not written to Cratejoy, and not acknowledged."
            to_do = f"`cratewire fulfilment tracking --store {shop.name}` lists them: attach or dismiss each."
            yield replace(_build(QUARANTINE_NAME, shop, headline, effect, to_do, first), worse_at=last)


def _find_late(context: Context) -> Iterator[AttentionItem]:
    """The three lists that are empty in a healthy shop, while the warehouse is live."""
    now = context.now()
    with reading(context.engine) as conn:
        for shop in _list_shops(conn):
            if not shop.row.is_live:
                continue
            late = list_late_boxes(conn, shop.row.store_id, now, find_no_tracking_days(shop.row.settings))
            lists = (
                ("paid and not sent", "paid_not_sent", late.paid_not_sent),
                ("sent, without tracking", "sent_without_tracking", late.sent_without_tracking),
                (
                    "shipped, and the customer was not informed",
                    "shipped_customer_not_informed",
                    late.shipped_customer_not_informed,
                ),
            )
            for title, name, boxes in lists:
                if boxes:
                    numbers = [box.order_number for box in boxes]
                    headline = f"{shop.name}: {pluralize(len(boxes), 'box', 'boxes')} {title}: {_join(numbers)}"
                    effect = "The customers wait."
                    to_do = f"`cratewire fulfilment status --store {shop.name}` names them; ask the warehouse."
                    since = min(box.state_at for box in boxes)
                    item = _build(LATE_NAME, shop, headline, effect, to_do, since, subject=title.replace(" ", "_"))
                    yield replace(item, facts=_lead_to(name, numbers, len(boxes)))


def _lead_to(boxes: str, numbers: Sequence[str], count: int, reason: str = "") -> dict[str, str]:
    """Where a page shows them: one box by itself, several as the list of this name, for this reason."""
    return {"boxes": boxes, "box_reason": reason, "order_number": numbers[0] if count == 1 else ""}


def _find_old(context: Context) -> Iterator[AttentionItem]:
    """The ages of all boxes on their way, once a day by the reminders of an item, if one of them is old."""
    now = context.now()
    with reading(context.engine) as conn:
        found = [(shop, list_ages(conn, shop.row.store_id, now)) for shop in _list_shops(conn) if shop.row.is_live]
    for shop, ages in found:
        old = [age for age in ages if age.oldest_at <= now - OLD_US]
        if old:
            shown = ", ".join(f"{_describe_age(age, now)}" for age in ages)
            headline = f"{shop.name}: boxes have been in one state for more than {OLD_US // DAY_US} days"
            effect = f"Of those on their way: {shown}."
            to_do = f"`cratewire fulfilment orders --store {shop.name} --state {old[0].state}` lists the oldest."
            yield _build(OLD_NAME, shop, headline, effect, to_do, old[0].oldest_at + OLD_US)


def _describe_age(age: Age, now: int) -> str:
    days = pluralize((now - age.oldest_at) // DAY_US, "day")
    return f"{age.count} {age.state.replace('_', ' ')} (the oldest for {days})"


def _build(  # noqa: PLR0913 - the texts of an item
    cause: str,
    shop: _Shop,
    headline: str,
    effect: str,
    to_do: str,
    since: int,
    *,
    reason: str | None = None,
    subject: str = "",
    group: AttentionBoxes | None = None,
) -> AttentionItem:
    parts = [shop.name, subject, *([group.state, group.reason] if group else [])]
    return AttentionItem(
        cause,
        "/".join(filter(None, parts)),
        MERCHANT,
        headline,
        effect,
        to_do,
        since,
        shop.name,
        shop.row.store_id,
        reason=group.reason if group else reason,
        worse_at=group.last_at if group else None,
    )


def _explain(group: AttentionBoxes) -> tuple[str, str]:
    """What the reason says, for a headline, and what ends it."""
    reason = REASONS.get(group.reason)
    return (reason.text.rstrip("."), reason.cure) if reason else (group.reason.replace("_", " "), "")


def _name(group: AttentionBoxes) -> str:
    return f"{pluralize(group.count, 'box', 'boxes')} ({_join(group.numbers)})"


def _join(numbers: Sequence[str]) -> str:
    shown = ", ".join(numbers[:_SHOWN])
    return f"{shown}, …" if len(numbers) > _SHOWN else shown


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


PAUSED_CAUSE, AWAY_CAUSE, BOXES_CAUSE, LATE_CAUSE, OLD_CAUSE, NOTICES_CAUSE, QUARANTINE_CAUSE = (
    Cause(PAUSED_NAME, _find_paused),
    Cause(AWAY_NAME, _find_away),
    Cause(BOXES_NAME, _find_boxes),
    Cause(LATE_NAME, _find_late),
    Cause(OLD_NAME, _find_old),
    Cause(NOTICES_NAME, _find_notices),
    Cause(QUARANTINE_NAME, _find_quarantined),
)
