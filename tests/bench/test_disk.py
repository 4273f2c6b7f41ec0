"""What an event takes of disk is what its tables and indexes have grown by."""

from __future__ import annotations

import pytest

from bench.disk import measure
from bench.hooks import make_hooks


def test_tables_and_indexes_add_up(redis_client, tmp_path):
    found = measure(f"sqlite:///{tmp_path / 'ledger.db'}", redis_client, make_hooks(60))

    assert sum(sum(parts.values()) for parts in found["tables"].values()) == pytest.approx(found["bytes_per_event"])
    assert found["tables"]["bodies"]["bodies"] > 0
    assert found["tables"]["events"]["ix_events_receipt"] >= 0
