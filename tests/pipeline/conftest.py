"""A sandbox store for whatever asks a store's API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.store.server import serving
from sandbox.store.world import Options
from tests.pipeline.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving(Options("id", "secret", seed=7)) as running:
        yield Shop(running)
