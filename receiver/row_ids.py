"""Ids of rows as they come in addresses, forms and documents: a converter for paths, and a reader for other texts."""

from __future__ import annotations

from werkzeug.routing import BaseConverter

MAX_DIGITS = 18  # 10 ** 18 < 2 ** 63: what every database takes


class RowIdConverter(BaseConverter):
    """The id of a row in a path. A path with anything else leads nowhere."""

    regex = f"[0-9]{{1,{MAX_DIGITS}}}"

    def to_python(self, value: str) -> int:
        return int(value)


def parse_row_id(text: str) -> int | None:
    """Return the id; None for what is none, such as `²` or a number that no database takes."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None
