"""The audit log, and the role of an operator.

The stored rows satisfy the wider condition as they are, so SQLite's tables need not be copied: their definitions are
rewritten, as https://www.sqlite.org/lang_altertable.html describes it for such changes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")

TABLES = ("memberships", "invitations")
BEFORE, AFTER = "role IN ('owner', 'reader')", "role IN ('owner', 'operator', 'reader')"


def upgrade() -> None:
    op.create_table(
        "audit_log",
        Column("id", BigID, nullable=False),
        Column("account_id", BigID, nullable=False),
        Column("store_id", BigID),
        Column("via", Text(), nullable=False),
        Column("user_id", BigID),
        Column("token_id", BigID),
        Column("action", Text(), nullable=False),
        Column("about", AnyJSON, nullable=False),
        Column("at", BigID, nullable=False),
        CheckConstraint("via IN ('page', 'command', 'api')", name=op.f("ck_audit_log_via")),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_audit_log_account_id"),
        PrimaryKeyConstraint("id", name="pk_audit_log"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_account_id_id", "audit_log", ["account_id", "id"])
    db = op.get_bind()
    if db.dialect.name == "sqlite":
        _rewrite_definitions(db)
        return
    for name in TABLES:
        op.drop_constraint(op.f(f"ck_{name}_role"), name, type_="check")
        op.create_check_constraint(op.f(f"ck_{name}_role"), name, AFTER)


def _rewrite_definitions(db: Connection) -> None:
    version = db.exec_driver_sql("PRAGMA schema_version").scalar_one()
    db.exec_driver_sql("PRAGMA writable_schema = ON")
    for name in TABLES:
        changed = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?"
        db.exec_driver_sql(changed, (BEFORE, AFTER, name))
    db.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")  # other connections reload the definitions
    db.exec_driver_sql("PRAGMA writable_schema = RESET")  # and so does this connection
