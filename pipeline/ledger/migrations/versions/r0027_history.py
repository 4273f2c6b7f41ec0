"""What people's attributes were before; and the people of a store by their newest change."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "attribute_changes",
        Column("id", BigID, nullable=False),
        Column("person_id", BigID, nullable=False),
        Column("event_id", BigID),
        Column("at", BigID, nullable=False),
        Column("data", AnyJSON, nullable=False),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_attribute_changes_person_id"),
        PrimaryKeyConstraint("id", name="pk_attribute_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attribute_changes_person_id", "attribute_changes", ["person_id"])
    columns, withheld = ["store_id", "known_at", "id"], text("withheld IS NOT NULL")
    op.create_index("ix_people_store_id_known_at", "people", columns)
    op.drop_index("ix_people_store_id", table_name="people")
    op.drop_index("ix_people_withheld", table_name="people")
    op.create_index("ix_people_withheld", "people", columns, sqlite_where=withheld, postgresql_where=withheld)
