import pytest

from tests.sandbox.warehouse.client import CartRover, Warehouse


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def shop(warehouse: Warehouse) -> CartRover:
    return CartRover(warehouse)
