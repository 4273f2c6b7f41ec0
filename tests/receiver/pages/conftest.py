"""The pages over a migrated, empty ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from pipeline.context import Context, build_context
from pipeline.ledger.engine import make_engine
from pipeline.settings import Settings
from tests.builders import NOW
from tests.receiver.pages.browser import PUBLIC, PagesInstallation


@pytest.fixture
def site(tmp_path: Path, migrated_sqlite: Path, valkey_url: str) -> Iterator[Context]:
    """An installation on SQLite, with a clock that can be set."""
    shutil.copy(migrated_sqlite, tmp_path / "cratewire.db")
    settings = Settings.from_environment(
        {
            "CRATEWIRE_DATA_DIR": str(tmp_path),
            "CRATEWIRE_SECRET_KEY": "a-key-that-only-tests-know",
            "CRATEWIRE_PUBLIC_URL": PUBLIC,
            "REDIS_URL": valkey_url,
            "CRATEWIRE_CONNECT_ANYWHERE": "true",  # the sandboxes of the tests are on loopback
        }
    )
    engine, client = make_engine(settings.database_url), redis.Redis.from_url(valkey_url)
    client.flushall()
    yield replace(build_context(settings, engine, client), now=lambda: NOW)
    engine.dispose()
    client.close()


@pytest.fixture
def pages(site: Context) -> PagesInstallation:
    clock = [NOW]
    return PagesInstallation.of(replace(site, now=lambda: clock[0]), clock)
