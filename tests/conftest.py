"""The servers and databases of the tests. Every worker of a test run has its own; a missing one is an error."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.settings import Settings, read_environment
from tasks import process
from tests.compiled_once import share_compiled
from tests.coverage_gate import COUNTED_TESTS
from tests.installation import KEY, Installation
from tests.servers.postgres import postgres
from tests.servers.valkey import valkey

# A slow machine is no fault of a strategy. The examples are the same every time, so that a failure comes from a change;
# `--hypothesis-profile searching` searches for new ones.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", parent=settings.get_profile("steady"), derandomize=False, max_examples=1_000)
# `make mutants` runs the tests once for each mutant.
settings.register_profile("brief", parent=settings.get_profile("steady"), max_examples=20)
settings.load_profile("steady")

share_compiled()


@pytest.fixture(scope="module", autouse=True)
def coverage_paused(request: pytest.FixtureRequest) -> Iterator[None]:
    """No coverage is measured in files whose tests do not count for the gate.

    pytest-cov's own way to pause leaves a second measurement running in the processes of pytest-xdist.
    """
    if request.node.nodeid.startswith(tuple(COUNTED_TESTS)) or not request.config.pluginmanager.hasplugin("_cov"):
        yield
        return
    tracer, tracer_of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(tracer)
    threading.settrace(tracer_of_threads)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey; see `redis_client` for an empty one."""
    with valkey() as url:
        yield url


@pytest.fixture
def redis_client(valkey_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL with an empty database."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("ledger") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """The URL of a PostgreSQL database with the ledger's tables."""
    migrate(postgres_url)
    return postgres_url


@pytest.fixture
def empty_postgres(migrated_postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the ledger's tables and nothing in them, before the test and after it."""
    _empty(migrated_postgres)
    yield migrated_postgres
    _empty(migrated_postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/50%25 new.db"
        return
    server: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("CREATE DATABASE fresh")
        yield server.replace("/postgres?", "/fresh?")
        conn.execute("DROP DATABASE fresh WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database, once on SQLite and once on PostgreSQL, for tests with processes of their own."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("migrated_postgres")
    _empty(url)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine for `database_url`."""
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def installed(
    redis_client: redis.Redis,
    valkey_url: str,
    migrated_sqlite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """A migrated installation with empty servers; this process belongs to it, and has no `.env`."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated_sqlite, data / "cratewire.db")
    (data / "cratewire.db").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    for name in read_environment(None):
        if name.startswith(("CRATEWIRE_", "DATABASE_URL", "PORT")):
            monkeypatch.delenv(name)
    ours = {"REDIS_URL": valkey_url, "CRATEWIRE_DATA_DIR": str(data), "CRATEWIRE_SECRET_KEY": KEY}
    ours |= {"CRATEWIRE_CONNECT_ANYWHERE": "true"}  # the other sides of the tests are on loopback
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(process, "_contexts", {})
    monkeypatch.setattr(process, "_revocations", {})
    here = process.open_process_context(Settings.from_environment(read_environment(None)))
    process._contexts[os.getpid()] = here
    process.get_revocations()  # of this database, whatever a test does to the context
    yield Installation(here, read_environment(None))
    here.redis.close()
    here.engine.dispose()


# Deleting a handful of rows is many times quicker than truncating twenty tables with their indexes.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica; -- no foreign keys, so any order will do
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        PERFORM setval(quote_ident(name), 1, false);
    END LOOP;
END $$
"""


def _empty(url: str) -> None:
    engine = make_engine(url)
    with writing(engine) as conn:
        conn.exec_driver_sql(_EMPTY.replace("%", "%%"))
    engine.dispose()


# They wait for minutes, mostly idle: begun first, they do so beside the others instead of after them.
_LONGEST = (
    "tests/receiver/test_attention_for_real.py",
    "tests/test_privacy.py",
    "tests/test_demo.py",
    "tests/test_linear.py",
    "tests/rabbitmq/",
    "tests/browser/",
    "tests/chaos/",
    "tests/receiver/supervisor/test_run.py",
    "tests/tasks/",
)


# What these folders do to the ledger is the same on both databases, but for the tests marked `on_both_databases`: they
# run every statement that no other test runs on PostgreSQL, and what depends on its locks.
_MOSTLY_ON_SQLITE = (
    "tests/pipeline/attention/",
    "tests/pipeline/backfill/",
    "tests/pipeline/delivery/",
    "tests/pipeline/hook_registration/",
    "tests/pipeline/monitoring/",
)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    test = metafunc.definition
    is_on_sqlite = test.nodeid.startswith(_MOSTLY_ON_SQLITE) and not test.get_closest_marker("on_both_databases")
    if is_on_sqlite and "database_url" in metafunc.fixturenames:
        test.add_marker(pytest.mark.parametrize("database_url", ["sqlite"], indirect=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))
