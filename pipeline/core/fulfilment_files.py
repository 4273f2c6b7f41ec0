"""Files between a seller and those who pack the boxes: what goes out, and what a returned file says, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.core.fulfilment import Package

FILE_ADAPTERS = frozenset({"spreadsheet"})  # of warehouses to which boxes go when a person exports them
FileFormat = Literal["csv", "xlsx"]
CONTENT_TYPES: dict[FileFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A row of a returned file. `number`: as the spreadsheet shows it, from 1.

    `order_numbers`: of the references in it, each once; `packages`: what it says of the parcels, none if it has no
    tracking number. `fault`: why it cannot be read, a short text without the row's content; then there are no packages.
    """

    number: int
    order_numbers: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """Every row below the headings that is not empty."""

    rows: tuple[ReturnedRow, ...]
    tracking_heading: str  # of the column that was read


FileFault = Literal[
    "empty", "too_large", "not_a_table", "macros", "encrypted", "old_excel", "no_reference", "no_tracking"
]


@dataclass(frozen=True, slots=True)
class FileRefused:
    """A file of which nothing is read. `message`: what is wrong and what to do, for people."""

    fault: FileFault
    message: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file to be handed out."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
