"""What both runs start with: the store with its settings and connections, and the people known before the period.

Of a fact only those fields are taken that were known by then; of an attribute none, so that the first profile of each
person in the rehearsal is whole. No key and no credential is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, Table, select

from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core
from pipeline.ledger.schema.consent import StoreSource
from pipeline.ledger.schema.lookups import SurveyQuestion
from pipeline.ledger.schema.store_apis import StoreAPI
from pipeline.rehearsal.change import Row

PEOPLE_AT_ONCE = 500


def load_store_rows(conn: Connection, store_id: int) -> dict[str, list[Row]]:
    """The rows of the store itself, by table."""
    store = core.Store.__table__
    account_id = select(store.c.account_id).where(store.c.id == store_id).scalar_subquery()
    account = core.Account.__table__
    rows = {
        account.name: _load(conn, account, account.c.id == account_id),
        store.name: _load(conn, store, store.c.id == store_id),
    }
    for model in (core.StoreConnection, StoreAPI, StoreSource, SurveyQuestion):
        table = model.__table__
        rows[table.name] = _load(conn, table, table.c.store_id == store_id)
    return rows


def read_people(engine: Engine, store_id: int, before: int) -> Iterator[dict[str, list[Row]]]:
    """Yield the people known before a time (µs) with their keys, facts and gifts, some hundred at a time, by table."""
    after = 0
    person = core.Person.__table__
    while True:
        with reading(engine) as conn:
            mine = person.c.store_id == store_id, person.c.created_at < before, person.c.id > after
            people = _load(conn, person, *mine, limit=PEOPLE_AT_ONCE)
            ids = [row["id"] for row in people]
            keys, facts = core.PersonKey.__table__, core.Fact.__table__
            found = _load(conn, facts, facts.c.person_id.in_(ids))
            part = {
                person.name: [{**row, "attributes": {}, "untold_since": None} for row in people],
                keys.name: _load(conn, keys, keys.c.person_id.in_(ids)),
                facts.name: [
                    {**row, "data": data} for row in found if (data := _fields_known_before(row["data"], before))
                ],
            }
        yield part
        if len(people) < PEOPLE_AT_ONCE:
            break
        after = ids[-1]
    yield from _read_gifts(engine, store_id, before)


def _read_gifts(engine: Engine, store_id: int, before: int) -> Iterator[dict[str, list[Row]]]:
    gift = core.Gift.__table__
    key: tuple[Any, ...] = ("", 0)
    while True:
        with reading(engine) as conn:
            behind = (gift.c.kind > key[0]) | ((gift.c.kind == key[0]) & (gift.c.subject_id > key[1]))
            rows = _load(conn, gift, gift.c.store_id == store_id, gift.c.as_of < before, behind, limit=PEOPLE_AT_ONCE)
        if rows:
            yield {gift.name: rows}
        if len(rows) < PEOPLE_AT_ONCE:
            return
        key = rows[-1]["kind"], rows[-1]["subject_id"]


def _fields_known_before(data: Mapping[str, Sequence[Any]], before: int) -> dict[str, Any]:
    return {name: list(value) for name, value in data.items() if value[0] < before}


def _load(conn: Connection, table: Table, *where: Any, limit: int | None = None) -> list[Row]:
    """The rows of a table as JSON has them: without its columns of bytes, which are encrypted or compressed."""
    columns = [column for column in table.columns if not isinstance(column.type, LargeBinary)]
    query = select(*columns).where(*where).order_by(*table.primary_key)
    return [row._asdict() for row in conn.execute(query.limit(limit) if limit else query)]
