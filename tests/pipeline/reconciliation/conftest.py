from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.store.server import serving
from sandbox.store.world import Options
from tests.pipeline.cratejoy.conftest import Shop
from tests.pipeline.reconciliation.town import Town


@pytest.fixture
def served() -> Iterator[Shop]:
    with serving(Options("id", "secret", seed=7)) as running:
        yield Shop(running)


@pytest.fixture
def town(engine, served) -> Town:
    """A store that has just been connected; nobody lives there yet."""
    made = Town(engine, served)
    made.connect()
    made.compare()
    return made
