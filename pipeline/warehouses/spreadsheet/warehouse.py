"""A spreadsheet as a warehouse: it calls nothing. What is created waits for the next export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, cast

from pipeline.core.form_fields import Field
from pipeline.core.fulfilment import (
    AcknowledgeAnswer,
    CancelAnswer,
    CheckAnswer,
    CreateAnswer,
    Created,
    FindAnswer,
    NotFound,
    Order,
    PushAnswer,
    ShippedAnswer,
    ShippedPage,
    Unsupported,
)
from pipeline.core.fulfilment_files import CONTENT_TYPES, FileFormat, FileRefused, ReturnedFile, WrittenFile
from pipeline.infra.form_config import read_config
from pipeline.warehouses.base import Capabilities, Tools
from pipeline.warehouses.spreadsheet.cells import DateOrder
from pipeline.warehouses.spreadsheet.columns import PRESETS, VALUES, read_columns
from pipeline.warehouses.spreadsheet.reading import read_returned
from pipeline.warehouses.spreadsheet.references import make_reference
from pipeline.warehouses.spreadsheet.writing import write_csv, write_xlsx


class Spreadsheet:
    """Files for Pirate Ship, or for any warehouse that takes a table."""

    adapter: ClassVar[str] = "spreadsheet"
    title: ClassVar[str] = "Spreadsheet"
    steps: ClassVar[tuple[str, ...]] = (
        "Switch off any other link of the shop with the warehouse: with two, every box would be sent twice.",
        "Export a batch, and upload the file where the labels are bought. Keep the column with the references.",
        "Download the labels' tracking numbers as CSV or XLSX, with that column, and import the file here.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "preset",
            "Columns for",
            default="pirate_ship",
            choices=tuple(PRESETS),
            help="Where the file goes.",
            names_account=False,
        ),
        Field(
            "columns",
            "Other columns",
            required=False,
            names_account=False,
            help=f"Instead of those, such as “Order ID = reference, Name = name”. There are: {', '.join(VALUES)}.",
        ),
        Field(
            "tracking_heading",
            "Column of the tracking numbers",
            required=False,
            names_account=False,
            help="Its heading in the returned file, if it is an unusual one.",
        ),
        Field(
            "date_order",
            "Dates in the returned file",
            default="month_first",
            choices=("month_first", "day_first"),
            names_account=False,
            help="How 03/04/2026 is read: as March 4, or as 3 April.",
        ),
    )
    country_format: ClassVar[Literal["alpha2", "alpha3"]] = "alpha2"
    calls_per_second: ClassVar[float] = 1_000.0  # it calls nothing
    account_fields: ClassVar[tuple[str, ...]] = ()
    capabilities = Capabilities(
        finds=False, cancels=False, lists_shipped=False, repeats_safely=True, exchanges_files=True
    )

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:  # noqa: ARG002 - it needs none
        given = read_config(self.fields, config)
        self._columns = read_columns(given["columns"], given["preset"])
        self._tracking_heading = given["tracking_heading"]
        self._date_order = cast("DateOrder", given["date_order"])

    def check(self) -> CheckAnswer:
        return {"columns": [column.heading for column in self._columns]}

    def create(self, order: Order) -> CreateAnswer:
        """Nothing is sent: the order is in the next export. Its reference is its id."""
        return Created(make_reference(order.order_number))

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:  # noqa: ARG002 - it has no orders of its own
        return NotFound()

    def list_shipped(self, open_orders: Sequence[tuple[str, str]], cursor: str = "") -> ShippedAnswer:  # noqa: ARG002
        return ShippedPage(())

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:  # noqa: ARG002
        return None

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:  # noqa: ARG002
        """A row that was handed out cannot be taken back by us; one that was not is left out of the export."""
        return Unsupported()

    def read_push(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:  # noqa: ARG002
        return Unsupported()

    def write_file(self, orders: Sequence[Order], file_format: FileFormat, name: str) -> WrittenFile:
        write = write_csv if file_format == "csv" else write_xlsx
        return WrittenFile(f"{name}.{file_format}", CONTENT_TYPES[file_format], write(orders, self._columns))

    def read_file(self, content: bytes) -> ReturnedFile | FileRefused:
        return read_returned(content, tracking_heading=self._tracking_heading, date_order=self._date_order)
