"""A database whose encoding cannot hold every text is refused before anything is written to it."""

from __future__ import annotations

import psycopg
import pytest

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations import migrate
from pipeline.ledger.revision import current_revision


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def narrow(request, postgres_url):
    """The URL of a database in an encoding that does not have every letter."""
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(
            f"CREATE DATABASE narrow ENCODING '{request.param}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        yield postgres_url.replace("/postgres?", "/narrow?"), request.param
        conn.execute("DROP DATABASE narrow WITH (FORCE)")


def use(url):
    engine = make_engine(url)
    try:
        with reading(engine):
            pass
    finally:
        engine.dispose()


@pytest.mark.parametrize("ask", [use, migrate, current_revision])
def test_a_database_of_another_encoding_is_refused_with_the_command_to_create_one(narrow, ask):
    url, encoding = narrow

    with pytest.raises(Misconfigured, match="createdb --encoding=UTF8 --template=template0") as refused:
        ask(url)

    assert encoding in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_refused_database_is_left_as_it_was(narrow):
    url, _ = narrow
    with pytest.raises(Misconfigured):
        migrate(url)

    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()[0] in (0, b"0")
