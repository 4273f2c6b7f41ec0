from __future__ import annotations

import pytest

from tests.pipeline.operations.replays.replay_shop import ReplayShop


@pytest.fixture
def replays(quick):
    """On SQLite."""
    return ReplayShop(quick)


@pytest.fixture
def replays_on_both(shop):
    """On SQLite and on PostgreSQL."""
    return ReplayShop(shop)
