"""The people of several stores, the newest changes first."""

from __future__ import annotations

import shutil

import pytest

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.people_list import PeopleCursor, list_people
from tests.pipeline.ledger.rows import add_person, add_store


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    """On SQLite only, whose unions have so many parts."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_an_account_may_have_more_stores_than_a_union_has_parts(engine):
    with writing(engine) as conn:
        stores = [add_store(conn, f"store-{number}").id for number in range(501)]
        people = [add_person(conn, stores[index], known_at=index) for index in (0, 250, 499, 500)]

    with reading(engine) as conn:
        newest = list_people(conn, stores, limit=3)
        rest = list_people(conn, stores, after=PeopleCursor(newest[-1].known_at, newest[-1].id))

    assert [person.id for person in (*newest, *rest)] == people[::-1]
