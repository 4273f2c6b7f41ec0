"""A sandbox store for tests that call a store's API, and a local time that is not UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.pipeline.sandbox_store import StoreControl


@pytest.fixture
def shop() -> Iterator[StoreControl]:
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def tokyo(monkeypatch):
    """The local time is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
