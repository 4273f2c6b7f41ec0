"""With which dictionary rows are compressed, and from when on."""

from __future__ import annotations

from weakref import WeakSet

from sqlalchemy import Connection, Engine, func, select

from pipeline.infra.compression import NEWEST_DICTIONARY, read_dictionary
from pipeline.ledger.schema.core import Event
from pipeline.ledger.schema.dictionaries import Dictionary
from pipeline.ledger.sql.tables import insert_into

UPGRADE_US = 3_600_000_000  # for so long processes of the version before may go on after the first of this one
_QUERY = select(
    select(Dictionary.used_from).where(Dictionary.id == NEWEST_DICTIONARY).scalar_subquery(),
    select(func.max(Event.id)).scalar_subquery(),
)
_IN_USE: WeakSet[Engine] = WeakSet()  # databases that have the newest dictionary and use it


def find_dictionary(conn: Connection, now: int) -> int | None:
    """The id of the dictionary to compress rows with; None: without one, since the version before reads them, too.

    The first call puts the dictionary into the ledger, inside the caller's transaction. A ledger without events has
    had no other version, and uses it at once.
    """
    if conn.engine in _IN_USE:
        return NEWEST_DICTIONARY
    used_from = _load_or_insert(conn, now)
    if used_from < now:  # so it was committed before
        _IN_USE.add(conn.engine)
    return NEWEST_DICTIONARY if used_from <= now else None


def _load_or_insert(conn: Connection, now: int) -> int:
    found, newest_event = conn.execute(_QUERY).one()
    if found is not None:
        return int(found)
    used_from = now if newest_event is None else now + UPGRADE_US
    row = {"id": NEWEST_DICTIONARY, "content": read_dictionary(NEWEST_DICTIONARY), "used_from": used_from}
    conn.execute(insert_into(conn, Dictionary).values(row).on_conflict_do_nothing())
    return used_from
