"""A table as it was read: rows of cells, with what each row is called in the spreadsheet, and how much is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline.core.fulfilment_files import FileRefused

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
MAX_CELLS_PER_ROW = 500

Cell = str | int | float | bool | datetime | date | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `is_readable` is False where its quotes do not close."""

    number: int
    cells: tuple[Cell, ...] = field(repr=False)
    is_readable: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return self.is_readable and all(cell is None or not str(cell).strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, the headings too."""

    rows: tuple[Row, ...]


def refuse_size() -> FileRefused:
    """Return the refusal of what is too large."""
    return FileRefused(
        "too_large",
        f"At most {MAX_FILE_BYTES // 1024 // 1024} MB, {MAX_ROWS:,} rows and {MAX_CELLS_PER_ROW} columns are read. "
        "Split the file.",
    )
