"""A short form of `make chaos`: one installation, a few blows of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.chaos.fault_run import run_fault
from bench.chaos.faults import FAULTS
from bench.chaos.installation import Installation, start_installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BY_NAME = {fault.name: fault for fault in FAULTS}
STRIKING = (
    "worker children killed",
    "web killed",
    "valkey killed",
    "valkey emptied",
    "broker killed",
    "platform odd answers",
    "one hook 100 times",
    "order under faults",
    "damaged bodies",
    "dawdling connections",
    "costly hooks",
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with start_installation(tmp_path_factory.mktemp("chaos"), "sqlite") as running:
        yield running


@pytest.mark.parametrize("name", STRIKING)
def test_nothing_is_lost_doubled_or_out_of_order(here: Installation, name: str):
    row = run_fault(here, BY_NAME[name], "sqlite", short=True, seed=1)

    assert row.accepted
    assert (row.lost, row.twice, row.out_of_order, row.broken) == (0, 0, 0, [])
