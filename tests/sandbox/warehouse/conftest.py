import pytest

from tests.sandbox.warehouse.client import CartRover, ThreePl, Warehouse


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def shop(warehouse: Warehouse) -> CartRover:
    return CartRover(warehouse)


@pytest.fixture
def manager(warehouse: Warehouse) -> ThreePl:
    return ThreePl(warehouse)
