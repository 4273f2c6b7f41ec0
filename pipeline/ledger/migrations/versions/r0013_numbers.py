"""Numbers SQLite's tables with AUTOINCREMENT, so that no id is issued twice. PostgreSQL's sequences only grow anyway.

The stored rows do not change with that, so the tables need not be copied: their definitions are rewritten, as
https://www.sqlite.org/lang_altertable.html describes it for such changes.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

_BEFORE, _AFTER = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"


def upgrade() -> None:
    db = op.get_bind()
    if db.dialect.name != "sqlite":
        return
    # SQLite creates sqlite_sequence with the first table that needs it.
    db.exec_driver_sql("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    db.exec_driver_sql("DROP TABLE numbered")
    rows = db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' AND instr(sql, ?) > 0", (_BEFORE,))
    names = [row.name for row in rows]
    version = db.exec_driver_sql("PRAGMA schema_version").scalar_one()
    db.exec_driver_sql("PRAGMA writable_schema = ON")
    for name in names:
        db.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (_BEFORE, _AFTER, name),
        )
    db.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")  # other connections reload the definitions
    db.exec_driver_sql("PRAGMA writable_schema = RESET")  # and so does this connection
    for name in names:
        db.exec_driver_sql(f"INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', coalesce(max(id), 0) FROM {name}")  # noqa: S608 our own tables
