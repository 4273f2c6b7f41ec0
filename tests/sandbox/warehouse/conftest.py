import pytest

from tests.sandbox.warehouse.client import CartRover, Generic, ThreePl, Warehouse


@pytest.fixture(scope="session")
def built_warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def warehouse(built_warehouse: Warehouse) -> Warehouse:
    built_warehouse.begin_anew()
    return built_warehouse


@pytest.fixture
def shop(warehouse: Warehouse) -> CartRover:
    return CartRover(warehouse)


@pytest.fixture
def manager(warehouse: Warehouse) -> ThreePl:
    return ThreePl(warehouse)


@pytest.fixture
def sender(warehouse: Warehouse) -> Generic:
    return Generic(warehouse)
