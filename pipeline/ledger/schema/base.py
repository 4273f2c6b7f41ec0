"""What all tables share: the base class, column types, constraint names and partial indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import JSON, BigInteger, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

BigID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
AnyJSON = JSON().with_variant(JSONB, "postgresql")
COLUMN_TYPES = {int: BigID, str: Text, dict[str, Any]: AnyJSON, list[Any]: AnyJSON, bytes: LargeBinary}

METADATA = MetaData(
    # Every constraint has a name, so that a migration can drop it again.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """The base class of all tables."""

    metadata = METADATA
    type_annotation_map = COLUMN_TYPES
    if TYPE_CHECKING:
        __table__: ClassVar[Table]  # a FromClause in general, a Table for every model that has a table of its own


def partial_index(condition: str) -> dict[str, Any]:
    """The arguments that make an index partial, on either database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
