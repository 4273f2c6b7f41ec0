"""The fields of the API's documents: times, ids, cursors, and what every query has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from receiver.row_ids import RowIdConverter, parse_row_id

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
ID_PATTERN = f"^{RowIdConverter.regex}$"
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
HAS_TEXT = r"^[\s\S]*[^\x00-\x20\x7f-\xa0]"  # somewhere; every language reads the pattern alike
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CURSOR_PART = r"[0-9a-z]{1,12}"  # 36 ** 12 < 2 ** 63
_US_PER_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(fields.Field[int]):
    """A time in µs, as `2026-11-30T03:12:00.000000Z`."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else format_moment(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValidationError("Not a time such as 2026-11-30T03:12:00Z.") from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        span = at - _EPOCH
        return (span.days * 86_400 + span.seconds) * _US_PER_SECOND + span.microseconds


class RowId(fields.Field[int]):
    """The id of a row, as a string: scripts would lose digits of a large number."""

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(metadata={"pattern": ID_PATTERN, **(metadata or {})}, **more)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        number = parse_row_id(value) if isinstance(value, str) else None
        if number is None:
            raise ValidationError("Not an id: a string of digits.")
        return number


class Figure(fields.Field[int | float]):
    """A number, whole or not, as it is."""


class Cursor(fields.Field[tuple[int, ...]]):
    """Where the next page begins: numbers in base 36. `parts`: how many. The same list always has the same cursors."""

    def __init__(self, parts: int = 1, **more: Any) -> None:
        pattern = rf"^{_CURSOR_PART}(\.{_CURSOR_PART}){{{parts - 1}}}$" if parts > 1 else rf"^{_CURSOR_PART}$"
        text = "The `next_cursor` of the page before."
        super().__init__(metadata={"pattern": pattern, "description": text}, **more)
        self.parts = parts

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[int, ...]:
        parts = str(value).split(".")
        if len(parts) != self.parts or not all(0 < len(part) <= 12 and set(part) <= set(_DIGITS) for part in parts):  # noqa: PLR2004
            raise ValidationError("Not a cursor of this list: take `next_cursor` of the page before.")
        return tuple(int(part, 36) for part in parts)


class Query(Schema):
    """The query of a request. A parameter that is unknown is refused, so that no misspelt filter is ignored."""

    class Meta:
        unknown = RAISE


class Body(Schema):
    """A body. A member that is unknown is refused."""

    class Meta:
        unknown = RAISE


class PageQuery(Query):
    """The query of a list."""

    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many to return."},
    )
    cursor = Cursor(load_default=None)


class Document(Schema):
    """A document that is returned."""

    class Meta:
        unknown = EXCLUDE


def page_of(item: type[Schema], name: str) -> type[Schema]:
    """Return the schema of a page of items."""
    listed = fields.List(fields.Nested(item), required=True)
    text = "Pass it as `cursor` for the next page; null: this is the last."
    cursor = fields.String(required=True, allow_none=True, metadata={"description": text})
    return Document.from_dict({"items": listed, "next_cursor": cursor}, name=name)


def shop_field(**more: Any) -> fields.String:
    """A parameter that names a shop."""
    text = "Only this shop's, by its name."
    return fields.String(metadata={"pattern": NAME_PATTERN, "description": text, "example": "acme"}, **more)


def id_parameter(text: str) -> RowId:
    """A parameter that is an id."""
    return RowId(load_default=None, metadata={"description": text, "example": "42"})


def build_page(rows: Sequence[Any], limit: int, get_key: Any) -> dict[str, Any]:
    """Build a page of `limit` rows out of up to one more. `get_key`: row -> the numbers of its place in the list."""
    page = rows[:limit]
    more = len(rows) > limit
    return {"items": page, "next_cursor": ".".join(map(_to_base_36, get_key(page[-1]))) if more else None}


def format_moment(at: int) -> str:
    """Format a time in µs."""
    seconds, micros = divmod(at, _US_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06}Z"


def _to_base_36(number: int) -> str:
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
