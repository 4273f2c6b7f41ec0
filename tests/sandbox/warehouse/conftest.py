import pytest

from tests.sandbox.warehouse.client import CartRover, Generic, ThreePl, Warehouse


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def shop(warehouse: Warehouse) -> CartRover:
    return CartRover(warehouse)


@pytest.fixture
def manager(warehouse: Warehouse) -> ThreePl:
    return ThreePl(warehouse)


@pytest.fixture
def sender(warehouse: Warehouse) -> Generic:
    return Generic(warehouse)
