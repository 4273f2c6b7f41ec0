"""Which people were erased, the keyed hashes that recognise them, and the key of these hashes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    _create_regulations()
    op.create_table(
        "regulation_identifiers",
        Column("regulation_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("digest", Text(), nullable=False),
        Column("store_id", BigID, nullable=False),
        ForeignKeyConstraint(["regulation_id"], ["regulations.id"], name="fk_regulation_identifiers_regulation_id"),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_regulation_identifiers_store_id"),
        PrimaryKeyConstraint("regulation_id", "kind", "digest", name="pk_regulation_identifiers"),
    )
    op.create_index("ix_regulation_identifiers_digest", "regulation_identifiers", ["store_id", "kind", "digest"])
    op.create_table(
        "regulation_keys",
        Column("id", BigID, nullable=False),
        Column("uid", Text(), nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("created_at", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_regulation_keys"),
        UniqueConstraint("uid", name="uq_regulation_keys_uid"),
        sqlite_autoincrement=True,
    )


def _create_regulations() -> None:
    op.create_table(
        "regulations",
        Column("id", BigID, nullable=False),
        Column("uid", Text(), nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("person_id", BigID),
        Column("kind", Text(), nullable=False),
        Column("user_id", BigID),
        Column("at_destinations", Boolean(), nullable=False),
        Column("emptied", AnyJSON, nullable=False, server_default=text("'{}'")),
        Column("recognised", BigID, nullable=False, server_default=text("0")),
        Column("recognised_at", BigID),
        Column("created_at", BigID, nullable=False),
        Column("applied_at", BigID),
        CheckConstraint("kind IN ('erase', 'suppress')", name="ck_regulations_kind"),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_regulations_store_id"),
        PrimaryKeyConstraint("id", name="pk_regulations"),
        UniqueConstraint("uid", name="uq_regulations_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_regulations_store_id", "regulations", ["store_id"])
    op.create_index("ix_regulations_person_id", "regulations", ["person_id"])
