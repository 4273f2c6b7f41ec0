"""A JSON column that shares its row with a compressed form of the same value, in the column `packed`.

Most of a ledger is JSON of a few hundred bytes that no SQL looks into, alike from row to row. Compressed with a
dictionary it takes a tenth. A row has the one or the other: where `packed` is set, the JSON column holds null.
A query of the JSON column gets the value of either; a change of it sets `packed` to None.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Dialect, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from pipeline.infra.compression import compress, decompress, is_zstd
from pipeline.ledger.sql import json_type

PACKED = "packed"  # the name of the other column


class PackedJSON(TypeDecorator[Any]):
    """JSON, or JSONB on PostgreSQL, beside a column `packed`."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What is selected instead: the bytes of whichever of the two columns has the value."""
        own: Any = getattr(column, "element", column)  # of a label
        return _Either(own.table.c[PACKED], own)


class _Read(TypeDecorator[Any]):
    """The value of either column."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:  # noqa: ARG002
        if value is None:  # of an outer join
            return None
        return json_type.loads(decompress(value) if is_zstd(value) else value)


class _Either(FunctionElement[Any]):
    """coalesce(packed, the JSON column as bytes)."""

    type = _Read()
    inherit_cache = True
    name = "either"


@compiles(_Either)
def _compile_either(element: _Either, compiler: Any, **options: Any) -> str:
    packed, plain = (compiler.process(clause, **options) for clause in element.clauses)
    as_bytes = "convert_to({}::text, 'UTF8')" if compiler.dialect.name == "postgresql" else "CAST({} AS BLOB)"
    return f"coalesce({packed}, {as_bytes.format(plain)})"


def pack_column(name: str, value: Any, dictionary: int | None) -> dict[str, Any]:
    """The columns of a value: compressed with the dictionary of this id, or as JSON if there is none."""
    if dictionary is None:
        return {name: value, PACKED: None}
    return {name: None, PACKED: compress(json_type.dumps(value).encode(), dictionary)}
