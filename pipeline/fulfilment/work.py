"""Work on batches and files that pages and the API ask for: it reads Cratejoy, so that no request can wait for it.

Each function checks what can be checked at once and writes the work down; a worker does it (`work_turns`), and
`pipeline.ledger.fulfilment.work` says how far it is. What is asked for twice is done once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Package
from pipeline.core.fulfilment_files import ReturnedFile, ReturnedRow
from pipeline.fulfilment.batches import choose_batch, require_unfrozen
from pipeline.fulfilment.exports import Wanted, open_file_site, require_live, require_ready
from pipeline.fulfilment.imports import Preview, judge_file, read_returned_file
from pipeline.fulfilment.set_up import require_warehouse
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.batches import list_batches
from pipeline.ledger.fulfilment.work import (
    NewWork,
    WorkRow,
    confirm_import,
    find_last_work,
    find_work,
    insert_work,
    load_rows,
)


def request_forecast(context: Context, store_id: int, batch_id: int | None, actor: Actor) -> WorkRow:
    """Ask for the forecast of a batch, or of the one that ends next. Raises Misconfigured if there is none."""
    with writing(context.engine) as conn:
        require_warehouse(conn, store_id)
        batch = choose_batch(list_batches(conn, store_id), batch_id, context.now())
        new = NewWork(store_id, "forecast", f"forecast {batch.batch_id}", {"batch": batch.batch_id})
        return insert_work(conn, new, actor, context.now())


def request_freeze(context: Context, store_id: int, batch_id: int, actor: Actor) -> WorkRow:
    """Ask for the freeze of a batch. Raises Misconfigured if there is no such batch, or it is frozen."""
    with writing(context.engine) as conn:
        require_warehouse(conn, store_id)
        choose_batch(list_batches(conn, store_id), batch_id, context.now())
        require_unfrozen(conn, store_id, batch_id)
        return insert_work(
            conn, NewWork(store_id, "freeze", f"freeze {batch_id}", {"batch": batch_id}), actor, context.now()
        )


def request_export(context: Context, store_id: int, wanted: Wanted, actor: Actor) -> WorkRow:
    """Ask for a file of the boxes that are ready. Raises Misconfigured if it cannot be made, or would be empty.

    While another export of the store is being made, that one is returned. The file is written by `repeat_export` of the
    export that the result names, whenever it is asked for.
    """
    site = open_file_site(context, store_id, wanted.layout)
    require_live(site)
    with writing(context.engine) as conn:
        require_ready(conn, site, wanted)
        return insert_work(conn, NewWork(store_id, "export", "export", write_wanted(wanted)), actor, context.now())


def take_in_file(context: Context, store_id: int, content: bytes, actor: Actor) -> WorkRow:
    """Read a returned file, and keep its references and tracking numbers until a person has confirmed the preview.

    Nothing is written to a box. Raises Misconfigured with what is wrong with the file, and what to do.
    """
    site = open_file_site(context, store_id)
    returned = read_returned_file(site, content)
    digest = sha256(content).hexdigest()
    wanted = {"digest": digest, "tracking_heading": returned.tracking_heading}
    rows = [_write_row(row) for row in returned.rows]
    new = NewWork(store_id, "import", name_import(digest), wanted, rows)
    with writing(context.engine) as conn:
        return insert_work(conn, new, actor, context.now(), "previewed")


def preview_work(conn: Connection, work: WorkRow) -> Preview | None:
    """What is to become of each row of a returned file now; None once its rows are no longer kept."""
    returned = read_rows(work, load_rows(conn, work.id))
    return None if returned is None else judge_file(conn, work.store_id, returned)


def find_earlier_import(conn: Connection, work: WorkRow) -> WorkRow | None:
    """The import of the very same file before."""
    found = find_last_work(conn, work.store_id, work.subject, "done")
    return found if found is not None and found.id < work.id else None


def request_import(context: Context, store_id: int, work_id: int, actor: Actor) -> WorkRow:
    """Have the matches of a previewed file written. Raises Misconfigured if there is no such preview any more."""
    with writing(context.engine) as conn:
        row = find_work(conn, store_id, work_id)
        if row is None or row.kind != "import":
            raise Misconfigured(f"the store has no import {work_id}")
        if row.state == "previewed" and not confirm_import(conn, work_id, actor):
            raise Misconfigured(f"the rows of import {work_id} are no longer kept: upload the file again")
        return find_work(conn, store_id, work_id) or row


def name_import(digest: str) -> str:
    """The subject of an import of the file with this SHA-256."""
    return f"import {digest}"


def write_wanted(wanted: Wanted) -> dict[str, Any]:
    """What is to be in a file, as JSON."""
    return asdict(wanted) | {"layout": dict(wanted.layout)}


def read_wanted(document: Mapping[str, Any]) -> Wanted:
    """What is to be in a file, from its JSON."""
    return Wanted(**document)


def read_rows(work: WorkRow, rows: Sequence[Mapping[str, Any]] | None) -> ReturnedFile | None:
    """The returned file of an import, from its JSON."""
    if rows is None:
        return None
    return ReturnedFile(tuple(_read_row(row) for row in rows), work.wanted["tracking_heading"])


def _write_row(row: ReturnedRow) -> dict[str, Any]:
    """A row without what says nothing: most rows are a number, a reference and a parcel."""
    return {name: value for name, value in asdict(row).items() if value or name == "number"}


def _read_row(row: Mapping[str, Any]) -> ReturnedRow:
    packages = tuple(Package(**package) for package in row.get("packages", ()))
    return ReturnedRow(row["number"], tuple(row.get("order_numbers", ())), packages, row.get("fault", ""))
