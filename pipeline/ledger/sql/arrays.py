"""The columns of many rows as PostgreSQL's binary arrays, so that one statement writes all rows.

A row by itself is parsed, planned and answered by itself, which costs both sides more than writing it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from pipeline.ledger.sql.json_type import dumps

POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
_HEADER = struct.Struct(">iiIii").pack  # dimensions, has nulls, the elements' type, their number, the first index
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)
_JSONB_VERSION = b"\1"

Encode = Callable[[Any], bytes]  # a value that is not null, with its length before it


@dataclass(frozen=True, slots=True)
class Array:
    """A parameter of a statement: an array in PostgreSQL's binary format, and the number of its type there."""

    type_number: int
    data: bytes = field(repr=False)


def _fixed(form: str) -> Encode:
    pack, size = struct.Struct(f">i{form}").pack, struct.calcsize(f">{form}")
    return lambda value: pack(size, value)


def _with_length(data: bytes) -> bytes:
    return _LENGTH(len(data)) + data


def _encode_text(value: str) -> bytes:
    return _with_length(value.encode())


def _encode_json(value: Any) -> bytes:
    return _with_length(_JSONB_VERSION + dumps(value).encode())


# type -> the numbers of the type and of its arrays in PostgreSQL, and how a value is written
_CODECS: dict[type, tuple[int, int, Encode]] = {
    BigInteger: (20, 1016, _fixed("q")),
    SmallInteger: (21, 1005, _fixed("h")),
    Boolean: (16, 1000, _fixed("?")),
    String: (25, 1009, _encode_text),
    LargeBinary: (17, 1001, _with_length),
    JSON: (3802, 3807, _encode_json),
}


@cache
def find_codecs(table: Table, names: tuple[str, ...]) -> list[tuple[int, int, Encode]] | None:
    """How the values of these columns are written; None if the type of one is not known here."""
    types = [type(_find_type(table.c[name])) for name in names]
    found = [next((codec for kind, codec in _CODECS.items() if issubclass(one, kind)), None) for one in types]
    return None if None in found else [codec for codec in found if codec is not None]


def _find_type(column: Column[Any]) -> TypeEngine[Any]:
    """The type on PostgreSQL; of one of ours, the type that it decorates."""
    found = column.type.dialect_impl(POSTGRESQL)
    return found.impl_instance if isinstance(found, TypeDecorator) else found


def build_arrays(codecs: Iterable[tuple[int, int, Encode]], columns: Iterable[Sequence[Any]]) -> tuple[Array, ...]:
    """An array for each column. Raises OverflowError if a number does not fit its column."""
    try:
        return tuple(_build_array(*codec, values) for codec, values in zip(codecs, columns, strict=True))
    except struct.error as error:
        raise OverflowError(str(error)) from None


def _build_array(element: int, array: int, encode: Encode, values: Sequence[Any]) -> Array:
    is_json = encode is _encode_json  # None is null in JSON, no missing value
    parts = [_NULL if value is None and not is_json else encode(value) for value in values]
    return Array(array, _HEADER(1, 1, element, len(values), 1) + b"".join(parts))


def register_arrays(connection: Any) -> None:
    """Let this connection of the driver take arrays as parameters."""
    connection.adapters.register_dumper(Array, _build_dumper())


@cache
def _build_dumper() -> Any:
    from psycopg.adapt import Dumper  # noqa: PLC0415  an installation on SQLite does not load the driver
    from psycopg.pq import Format  # noqa: PLC0415

    class ArrayDumper(Dumper):
        """Gives arrays to the driver as they are."""

        format = Format.BINARY

        def get_key(self, obj: Array, format: Any) -> Any:  # noqa: A002, ARG002  the driver's name
            return self.cls, obj.type_number

        def upgrade(self, obj: Array, format: Any) -> ArrayDumper:  # noqa: A002, ARG002
            dumper = ArrayDumper(self.cls)
            dumper.oid = obj.type_number
            return dumper

        def dump(self, obj: Array) -> bytes:
            return obj.data

    return ArrayDumper
