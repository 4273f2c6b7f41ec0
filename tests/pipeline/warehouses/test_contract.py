from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.core.fulfilment_files import FILE_ADAPTERS
from pipeline.warehouses import WAREHOUSES
from tests.pipeline.warehouses.contract import WarehouseSuite
from tests.pipeline.warehouses.kit import RecordedHTTP, make_tools
from tests.pipeline.warehouses.sandbox_kit import PROTOCOLS, Kit


class TestWarehouses(WarehouseSuite):
    @pytest.fixture(params=PROTOCOLS)
    def kit(self, request: pytest.FixtureRequest, make_kit: Callable[[str], Kit]) -> Kit:
        return make_kit(request.param)


def test_every_registered_warehouse_that_is_called_passes_the_contract():
    assert set(PROTOCOLS) == set(WAREHOUSES) - FILE_ADAPTERS


@pytest.mark.parametrize("name", sorted(FILE_ADAPTERS))
def test_a_warehouse_without_calls_exchanges_files_and_repeats_safely(name):
    can = WAREHOUSES[name]({}, make_tools(RecordedHTTP())).capabilities

    assert (can.exchanges_files, can.repeats_safely) == (True, True)
    assert (can.finds, can.cancels, can.lists_shipped, can.pushes) == (False,) * 4


def test_every_warehouse_is_registered_under_its_own_name():
    assert all(name == warehouse.adapter for name, warehouse in WAREHOUSES.items())
