"""Imports a returned file: a preview of every row first, then the exact matches, by the step of every warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured, OrderChanged
from pipeline.core.fulfilment import WarehouseOrder
from pipeline.core.fulfilment_files import FileRefused, ReturnedFile, ReturnedRow
from pipeline.fulfilment.exports import get_exchange, open_file_site
from pipeline.fulfilment.returned_rows import JudgedRow, KnownBox, Verdict, count_verdicts, judge_rows
from pipeline.fulfilment.site import Site
from pipeline.fulfilment.steps.tracking import take_report
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.exports import find_owners
from pipeline.ledger.fulfilment.orders import list_by_numbers
from pipeline.ledger.fulfilment.packages import list_packages
from pipeline.ledger.fulfilment.quarantine import keep_for_person

SOURCE = "file"
SLICE = 25  # rows that are written in one transaction: each takes some ms, in which hooks wait for SQLite
EVERY_VERDICT: tuple[Verdict, ...] = ("match", "already_there", "not_shipped", "ambiguous", "unknown", "unreadable")


@dataclass(frozen=True, slots=True)
class Preview:
    """What is to become of each row. `counts`: every verdict, with 0 where no row has it."""

    tracking_heading: str
    counts: Mapping[Verdict, int]
    rows: tuple[JudgedRow, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written: parcels of `written` boxes; `for_people`: how many further parcels wait for a person."""

    preview: Preview
    written: int
    for_people: int


def preview_file(context: Context, store_id: int, content: bytes) -> Preview:
    """Judge every row; nothing is written. Raises Misconfigured with what is wrong with the file, and what to do."""
    site = open_file_site(context, store_id)
    returned = read_returned_file(site, content)
    with reading(context.engine) as conn:
        return judge_file(conn, store_id, returned)


def import_file(context: Context, store_id: int, content: bytes, actor: Actor = COMMAND_LINE_ACTOR) -> Imported:
    """Write the exact matches, and keep ambiguous parcels for a person. The same file again changes nothing.

    Raises Misconfigured as `preview_file` does.
    """
    site = open_file_site(context, store_id)
    returned = read_returned_file(site, content)
    with reading(context.engine) as conn:
        preview = judge_file(conn, store_id, returned)
    matches, written = list_matches(preview, returned), 0
    for start in range(0, len(matches), SLICE):
        with writing(context.engine) as conn:
            written += write_matches(conn, site, matches[start : start + SLICE])
    with writing(context.engine) as conn:
        for_people = keep_ambiguous(conn, site, preview, returned)
        record_import(conn, site, actor, preview.counts, written, for_people)
    return Imported(preview, written, for_people)


def record_import(
    conn: Connection, site: Site, actor: Actor, counts: Mapping[Verdict, int], written: int, for_people: int
) -> None:
    """Write down that a file was imported."""
    about: dict[str, int] = {"written": written, "for_people": for_people}
    about |= {name: count for name, count in counts.items() if count}
    event = EventDraft("imported", detail=dict(about), user_id=actor.user_id)
    add_fulfilment_event(conn, About(site.store_id), event, site.now())
    record_store_action(conn, site.store_id, actor, "boxes.imported", site.now(), about)


def list_matches(preview: Preview, returned: ReturnedFile) -> list[ReturnedRow]:
    """The rows that may be written."""
    found = {row.number: row for row in returned.rows}
    return [found[one.number] for one in preview.rows if one.verdict == "match"]


def keep_ambiguous(conn: Connection, site: Site, preview: Preview, returned: ReturnedFile) -> int:
    """Keep the parcels of ambiguous rows for a person; returns how many are new."""
    found = {row.number: row for row in returned.rows}
    return sum(_keep(conn, site, found[one.number], one.reason) for one in preview.rows if one.verdict == "ambiguous")


def read_returned_file(site: Site, content: bytes) -> ReturnedFile:
    """Read what a file says. Raises Misconfigured with what is wrong with it, and what to do."""
    returned = get_exchange(site).read_file(content)
    if isinstance(returned, FileRefused):
        raise Misconfigured(returned.message)
    return returned


def judge_file(conn: Connection, store_id: int, returned: ReturnedFile) -> Preview:
    """What is to become of each row now."""
    judged = _judge(conn, store_id, returned.rows)
    found = count_verdicts(judged)
    return Preview(returned.tracking_heading, {verdict: found.get(verdict, 0) for verdict in EVERY_VERDICT}, judged)


def _judge(conn: Connection, store_id: int, rows: Sequence[ReturnedRow]) -> tuple[JudgedRow, ...]:
    boxes = _load_boxes(conn, store_id, {number for row in rows for number in row.order_numbers})
    numbers = {package.tracking_number for row in rows for package in row.packages}
    return judge_rows(rows, boxes, find_owners(conn, store_id, numbers))


def _load_boxes(conn: Connection, store_id: int, order_numbers: Iterable[str]) -> dict[str, KnownBox]:
    rows = list_by_numbers(conn, store_id, order_numbers)
    numbers: dict[int, set[str]] = {}
    for parcel in list_packages(conn, [row.id for row in rows.values()]):
        numbers.setdefault(parcel.order_id, set()).add(parcel.tracking_number)
    return {
        number: KnownBox(number, row.state, row.export_id is not None, frozenset(numbers.get(row.id, ())))
        for number, row in rows.items()
    }


def write_matches(conn: Connection, site: Site, rows: Sequence[ReturnedRow]) -> int:
    """Write those rows that still match: another import, or the shop, may have been faster. Returns how many."""
    written = 0
    lock_fence(conn, f"fulfilment import {site.store_id}")
    for one in _judge(conn, site.store_id, rows):
        if one.verdict == "match":
            with suppress(OrderChanged):  # the same file brings it again
                reported = WarehouseOrder(one.order_number, "", "shipped", one.packages)
                changed, _ = take_report(conn, site, one.order_number, reported, SOURCE)
                written += changed
    return written


def _keep(conn: Connection, site: Site, row: ReturnedRow, reason: str) -> int:
    """Keep an ambiguous row's parcels for a person, under the first box that it names; returns how many are new."""
    number, now = row.order_numbers[0], site.now()
    return keep_for_person(conn, site.store_id, number, row.packages, reason, now)
