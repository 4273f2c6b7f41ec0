"""Kept counts of what was received in each hour and what became of it, filled with all that the ledger has."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0029"
down_revision = "0028"

BigID = BigInteger().with_variant(Integer, "sqlite")

# Of a repeat it was not written down when it came, so it counts in the hour of its event.
_RECEIVED = """
    WITH received AS (
        SELECT store_id, received_at / 3600000000 AS hour, name, outcome, 1 AS number FROM events
        UNION ALL SELECT store_id, received_at / 3600000000, name, 'duplicate', duplicates FROM events
        WHERE duplicates > 0
        UNION ALL SELECT store_id, received_at / 3600000000, '', 'recovered', 1 FROM events WHERE source = 'reconcile'
        UNION ALL SELECT coalesce(store_id, 0), received_at / 3600000000, event, 'dead', 1 FROM dead_hooks
        WHERE replayed_at IS NULL
    )
"""
_FILL = (
    "INSERT INTO hourly_counts (store_id, hour, outcome, number)"  # noqa: S608 constants only
    + _RECEIVED
    + "SELECT store_id, hour, outcome, sum(number) FROM received GROUP BY store_id, hour, outcome",
    """
    INSERT INTO daily_counts (store_id, day, outcome, number)
    SELECT store_id, hour / 24, outcome, sum(number) FROM hourly_counts GROUP BY store_id, hour / 24, outcome
    """,
    "INSERT INTO total_counts (store_id, name, outcome, number)"  # noqa: S608 constants only
    + _RECEIVED
    + """
    SELECT store_id, name, outcome, sum(number) FROM (
        SELECT store_id, name, outcome, number FROM received WHERE name <> ''
        UNION ALL SELECT store_id, name, outcome, number FROM past_counts WHERE outcome <> 'replayed'
        UNION ALL SELECT store_id, name, 'duplicate', duplicates FROM past_counts WHERE duplicates > 0
    ) AS found GROUP BY store_id, name, outcome
    """,
    """
    INSERT INTO event_repeats (store_id, event_id, hour, times)
    SELECT store_id, id, received_at / 3600000000, duplicates FROM events WHERE duplicates > 0
    """,
    """
    INSERT INTO count_marks (name, hour)
    SELECT 'events', max(received_at) / 3600000000 FROM past_events HAVING max(received_at) IS NOT NULL
    """,
    """
    INSERT INTO count_marks (name, hour)
    SELECT 'dead_hooks', max(swept_at) / 3600000000 FROM retention WHERE kind = 'dead_hooks' AND deleted > 0
    HAVING max(swept_at) IS NOT NULL
    """,
)


def upgrade() -> None:
    op.create_table(
        "count_changes",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("hour", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("number", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_count_changes"),
        sqlite_autoincrement=True,
    )
    _create_counts("hourly_counts", Column("hour", BigID, nullable=False))
    op.create_index("ix_hourly_counts_hour", "hourly_counts", ["hour"])
    _create_counts("daily_counts", Column("day", BigID, nullable=False))
    _create_counts("total_counts", Column("name", Text(), nullable=False))
    op.create_table(
        "count_marks",
        Column("name", Text(), nullable=False),
        Column("hour", BigID, nullable=False),
        PrimaryKeyConstraint("name", name="pk_count_marks"),
    )
    op.create_table(
        "event_repeats",
        Column("store_id", BigID, nullable=False),
        Column("event_id", BigID, nullable=False),
        Column("hour", BigID, nullable=False),
        Column("times", BigID, nullable=False),
        PrimaryKeyConstraint("store_id", "event_id", "hour", name="pk_event_repeats"),
    )
    op.create_index("ix_event_repeats_hour", "event_repeats", ["hour"])
    for statement in _FILL:
        op.execute(statement)


def _create_counts(table: str, what: Column[int] | Column[str]) -> None:
    op.create_table(
        table,
        Column("store_id", BigID, nullable=False),
        what,
        Column("outcome", Text(), nullable=False),
        Column("number", BigID, nullable=False),
        PrimaryKeyConstraint("store_id", what.name, "outcome", name=f"pk_{table}"),
    )
