"""The seller whose warehouse is a spreadsheet: exports boxes, has them packed, and imports the files that come back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from openpyxl import Workbook, load_workbook

from bench.year.hands import Hands
from bench.year.world import DAY
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.fulfilment.exports import Exported, Wanted, export_boxes, repeat_export
from pipeline.fulfilment.imports import Imported, import_file
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.exports import list_exports
from sandbox.warehouse.orders import Line, Order

CHANNEL = "spreadsheet"
RETURNED_S = 5 * DAY  # for so long each returned file has a parcel: every row comes back many times
MANY = 10_000
HEADINGS = ("Order ID", "Tracking Number", "Carrier")
TRAPS = (("", "9400100000000000000123", "USPS"), ("CW-SUB-1-XXX", "9400100000000000000124", "USPS"))


class Sheets(Hands):
    """A seller with a file of labels, once a day."""

    def exchange_files(self) -> None:
        """Import what has left since the last days, twice, and export what is ready: frozen batches first."""
        if self.year.adapter != CHANNEL:
            return
        parcels = self._list_returned()
        for number in range(2):
            self._import(parcels, number)
        self._import([("", number, carrier) for _, number, carrier in parcels], 0, is_empty=True)
        for batch_id in sorted(self.truth.frozen - self.truth.exported):
            self._export(Wanted(batch_id=batch_id))
            self.truth.exported.add(batch_id)
        self._export(Wanted("xlsx" if int(self.year.now / DAY) % 2 else "csv"))

    def _export(self, wanted: Wanted) -> None:
        year, made = self.year, None
        with suppress(Misconfigured, CratewireError):  # nothing is ready, an unusual number is, or the store is away
            made = year.survive(lambda: export_boxes(year.context, year.store_id, wanted, sleep=year.skip))
        with reading(year.engine) as conn:
            known = [row.id for row in list_exports(conn, year.store_id, limit=MANY)]
        for export_id in sorted(set(known) - self.truth.files):
            self.truth.files.add(export_id)
            self._pack_file(made if made and made.export_id == export_id else self._repeat(export_id))

    def _repeat(self, export_id: int) -> Exported | None:
        """The file of an export whose worker was killed."""
        try:
            return repeat_export(self.year.context, self.year.store_id, export_id)
        except Misconfigured:
            return None

    def _pack_file(self, made: Exported | None) -> None:
        """What the packers are given: each row is a box."""
        floor = self.year.floor.floor
        for row in _read(made.file.content) if made else ():
            pieces = [part.split(" x ", 1) for part in row["SKUs"].split("; ")]
            lines = [Line(floor.new_id(), sku, int(quantity)) for quantity, sku in pieces]
            self.truth.references[row["Order number"]] = row["Reference"]
            floor.accept(CHANNEL, row["Order number"], lines, row)

    def _list_returned(self) -> list[tuple[str, str, str]]:
        """Reference and tracking of every box that has left lately."""
        since, orders = self.year.now - RETURNED_S, self.year.floor.floor.orders.values()
        return [row for order in orders if order.channel == CHANNEL for row in self._describe(order, since)]

    def _describe(self, order: Order, since: float) -> Iterable[tuple[str, str, str]]:
        if order.is_live and order.shipped_at is not None and order.number in self.truth.references:
            for package in order.packages:
                if package.shipped_at >= since:
                    yield self.truth.references[order.number], package.tracking, package.carrier

    def _import(self, rows: Sequence[tuple[str, str, str]], number: int, *, is_empty: bool = False) -> None:
        """One file, with rows that name no box; `is_empty`: it has no references, and is refused."""
        if not rows:
            return
        content = _write([*rows, *TRAPS], number + int(self.year.now / DAY))
        try:
            made: Imported = import_file(self.year.context, self.year.store_id, content)
        except Misconfigured as error:
            self.truth.wrong += [] if is_empty else [f"a returned file is refused: {error}"]
            return
        if is_empty or (made.written and number):
            self.truth.wrong.append(f"a file that wrote nothing new has written {made.written} boxes")
        if made.for_people:
            self.truth.wrong.append(f"{made.for_people} rows of a returned file are ambiguous")


def _read(content: bytes) -> list[dict[str, str]]:
    """The rows of an exported file, as another program reads them."""
    if content[:2] != b"PK":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    headings, *rows = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    return [
        {str(name): "" if value is None else str(value) for name, value in zip(headings, row, strict=True)}
        for row in rows
    ]


def _write(rows: Sequence[Sequence[str]], form: int) -> bytes:
    """A returned file: CSV with commas, or as Excel saves it, or a workbook."""
    if form % 3 == 2:  # noqa: PLR2004 - the third of three forms
        book: Any = Workbook()
        for row in (HEADINGS, *rows):
            book.active.append(list(row))
        written = io.BytesIO()
        book.save(written)
        return written.getvalue()
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";" if form % 3 else ",").writerows([HEADINGS, *rows])
    return text.getvalue().encode("utf-8-sig" if form % 3 else "utf-8")
