"""A sandbox store for whatever asks a store's API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.pipeline.sandbox_store import StoreControl


@pytest.fixture
def shop() -> Iterator[StoreControl]:
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)
