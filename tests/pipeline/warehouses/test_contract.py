from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.warehouses import WAREHOUSES
from tests.pipeline.warehouses.contract import WarehouseSuite
from tests.pipeline.warehouses.sandbox_kit import PROTOCOLS, Kit


class TestWarehouses(WarehouseSuite):
    @pytest.fixture(params=PROTOCOLS)
    def kit(self, request: pytest.FixtureRequest, make_kit: Callable[[str], Kit]) -> Kit:
        return make_kit(request.param)


def test_every_registered_warehouse_passes_the_contract():
    assert set(PROTOCOLS) == set(WAREHOUSES)


def test_every_warehouse_is_registered_under_its_own_name():
    assert all(name == warehouse.adapter for name, warehouse in WAREHOUSES.items())
