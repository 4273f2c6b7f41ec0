"""Shows the rows, on a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bench.chaos.accounting import Row
from bench.chaos.boxes.counting import BoxCounts

HEADS = ("fault", "database", "accepted", "once", "lost", "twice", "order", "worst ack ms", "recover s", "holds")
BOX_HEADS = (
    "fault",
    "database",
    "boxes",
    "sent once",
    "confirmed once",
    "e-mails",
    "lost",
    "twice",
    "cancelled",
    "holds",
)
WIDTHS = (26, 11, 9, 9, 5, 6, 6, 13, 10, 9)


def head() -> str:
    """The table's head, for a terminal."""
    return _line(HEADS)


def line(row: Row) -> str:
    """A row with its remarks."""
    broken = [*row.broken, *(row.boxes.wrong if row.boxes else ())]
    said = [f"    broken: {promise}" for promise in broken] + [f"    {note}" for note in row.notes]
    if row.boxes is not None:
        said.append(f"    all: {row.boxes.describe()}")
    if row.skipped is not None:
        said.append(f"    skipped: {row.skipped}")
    return "\n".join([_line(cells(row)), *said])


def markdown(rows: Sequence[Row]) -> str:
    """The whole table."""
    lines = [HEADS, ("---",) * len(HEADS), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def boxes_markdown(rows: Sequence[Row]) -> str:
    """The rows in which boxes went out; nothing if there is none."""
    lines = [_box_cells(row, row.boxes) for row in rows if row.boxes is not None]
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in ([BOX_HEADS, ("---",) * len(BOX_HEADS), *lines] if lines else ())
    )


def _box_cells(row: Row, boxes: BoxCounts) -> tuple[str, ...]:
    counts = (boxes.owed, boxes.sent_once, boxes.confirmed_once, boxes.mailed_once, boxes.lost, boxes.twice)
    return (row.fault, row.database, *map(str, counts), str(boxes.cancelled), _verdict(row))


def cells(row: Row) -> tuple[str, ...]:
    """The row's cells in the order of the heads."""
    counts = (row.accepted, row.once, row.lost, row.twice, row.out_of_order)
    recovered = "-" if row.recover_s is None else f"{row.recover_s:.1f}"
    return (row.fault, row.database, *map(str, counts), f"{row.worst_ms:.0f}", recovered, _verdict(row))


def _verdict(row: Row) -> str:
    if not row.is_promised:
        return "unpromised"
    if row.fails:
        return "NO"
    return "yes" if row.holds else "skipped"


def _line(texts: Sequence[str]) -> str:
    return "".join(
        f"{text:<{width}}" if place < 2 else f"{text:>{width}}"  # noqa: PLR2004 the first two are words
        for place, (text, width) in enumerate(zip(texts, WIDTHS, strict=True))
    )
