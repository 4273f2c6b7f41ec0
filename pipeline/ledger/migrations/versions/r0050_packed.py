"""Compressed data of events and messages, and the dictionaries that it is compressed with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, PrimaryKeyConstraint, text

from pipeline.infra.compression import decompress, is_zstd

revision = "0050"
down_revision = "0049"

_PACKED = {"events": "data", "deliveries": "message"}
_SLICE = 1_000  # rows in memory at a time
_FASTEST = 1  # of zlib
BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    for table in ("events", "deliveries"):
        op.add_column(table, Column("packed", LargeBinary(), nullable=True))
    op.create_table(
        "dictionaries",
        Column("id", BigID, autoincrement=False, nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("used_from", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_dictionaries"),
    )


def downgrade() -> None:
    """Store every value as JSON again, and bodies as the version before compressed them."""
    db = op.get_bind()
    json_type = "JSONB" if db.dialect.name == "postgresql" else "TEXT"
    for table, column in _PACKED.items():
        read = f"SELECT id, packed FROM {table} WHERE id > :after AND packed IS NOT NULL ORDER BY id LIMIT {_SLICE}"  # noqa: S608 constants
        write = f"UPDATE {table} SET {column} = CAST(:value AS {json_type}) WHERE id = :id"  # noqa: S608 constants
        _rewrite(db, read, write, lambda packed: decompress(packed).decode())
        op.execute(f"ALTER TABLE {table} DROP COLUMN packed")
    read = f"SELECT event_id AS id, raw FROM bodies WHERE event_id > :after ORDER BY event_id LIMIT {_SLICE}"  # noqa: S608 constants
    _rewrite(db, read, "UPDATE bodies SET raw = :value WHERE event_id = :id", _compress_as_before)
    op.drop_table("dictionaries")


def _rewrite(db: Connection, read: str, write: str, change: Callable[[bytes], Any]) -> None:
    for rows in _read_slices(db, read):
        changed = [{"id": row_id, "value": change(value)} for row_id, value in rows]
        db.execute(text(write), changed)


def _read_slices(db: Connection, read: str) -> Iterator[list[tuple[int, bytes]]]:
    after = 0
    while rows := [(row_id, bytes(value)) for row_id, value in db.execute(text(read), {"after": after})]:
        yield rows
        after = rows[-1][0]


def _compress_as_before(raw: bytes) -> bytes:
    return zlib.compress(decompress(raw), _FASTEST) if is_zstd(raw) else raw
