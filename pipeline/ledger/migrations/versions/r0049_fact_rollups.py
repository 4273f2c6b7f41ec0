"""Rollups of the facts of people who have many. Triggers delete a rollup when any program changes the facts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0048"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")
_FORGET = "DELETE FROM fact_rollups WHERE person_id = {row}.person_id;"
_SQLITE_TRIGGER = "CREATE TRIGGER tr_facts_{name}_rollup AFTER {name} ON facts FOR EACH ROW BEGIN {forget} END"
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION forget_fact_rollup() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN {old} ELSE {new} END IF;
    RETURN NULL;
END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER tr_facts_rollup AFTER INSERT OR UPDATE OR DELETE ON facts
FOR EACH ROW EXECUTE FUNCTION forget_fact_rollup()
"""
_OLD, _NEW = _FORGET.format(row="OLD"), _FORGET.format(row="NEW")
_TRIGGERS = {
    "sqlite": [
        _SQLITE_TRIGGER.format(name=name, forget=forget)
        for name, forget in (("insert", _NEW), ("update", _NEW), ("delete", _OLD))
    ],
    "postgresql": [_POSTGRESQL_FUNCTION.format(old=_OLD, new=_NEW), _POSTGRESQL_TRIGGER],
}


def upgrade() -> None:
    op.create_table(
        "fact_rollups",
        Column("person_id", BigID, nullable=False),
        Column("version", BigID, nullable=False),
        Column("data", AnyJSON, nullable=False),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_fact_rollups_person_id"),
        PrimaryKeyConstraint("person_id", name="pk_fact_rollups"),
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(text(statement))
