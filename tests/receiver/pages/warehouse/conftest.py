"""A shop of an account with an owner, an operator and a reader, and a warehouse of the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from bench.warehouse_configs import build_config
from pipeline.core.fulfilment import State
from pipeline.fulfilment.work_turns import take_turn
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.fulfilment.work import list_due_work
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.warehouses import WAREHOUSES
from sandbox.warehouse.server import RunningWarehouse
from tests.builders import NOW
from tests.pipeline.fulfilment.bridge import run_warehouse
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock
from tests.receiver.pages.browser import Browser, PagesInstallation

HERS, READERS, OPERATORS = "bea@example.com", "robin@example.com", "ola@example.com"
WAREHOUSE = "/stores/acme/warehouse"
LINES = [{"line_no": 1, "sku": "BOX", "source_sku": "BOX", "description": "Box", "quantity": 2}]


@pytest.fixture(scope="package")
def warehouse() -> Iterator[RunningWarehouse]:
    clock = Clock()
    with run_warehouse(lambda: clock.now / 1_000_000) as running:
        yield running


@pytest.fixture
def store_id(pages: PagesInstallation, monkeypatch: pytest.MonkeyPatch) -> int:
    """A shop whose keys of Cratejoy are saved."""
    for kind in WAREHOUSES.values():
        monkeypatch.setattr(kind, "calls_per_second", AMPLE_PER_S)  # the clock stands still
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    pages.member(OPERATORS, account, "operator")
    found = pages.store("acme", account)
    keys = {"client_id": "an-id", "client_secret": "a-secret", "base_url": "https://api.cratejoy.com/v1/"}
    sealed = encrypt(pages.site.settings.secret_keys, keys, build_api_identity(found))
    with writing(pages.site.engine) as conn:
        save_store_api(conn, found, sealed, pages.site.now())
    return found


@pytest.fixture
def typed(warehouse: RunningWarehouse) -> dict[str, str]:
    """What connects Integration Manager, as the form has it."""
    return build_config("cartrover", warehouse.url) | {"cancel_call": "wms_cancel", "earliest_order_at": "2026-01-01"}


@pytest.fixture
def visitor(pages: PagesInstallation, store_id: int) -> Browser:
    """The owner."""
    return pages.logged_in(HERS)


@pytest.fixture
def connected(visitor: Browser, typed: dict[str, str]) -> Browser:
    """The owner, who has just connected Integration Manager."""
    visitor.go(f"{WAREHOUSE}/connect/cartrover")
    visitor.send(**typed)
    assert "Connected." in visitor.text
    return visitor


@pytest.fixture
def work(pages: PagesInstallation) -> Callable[[], None]:
    """Lets a worker do what was asked for."""

    def do() -> None:
        with reading(pages.site.engine) as conn:
            due = list_due_work(conn, pages.site.now())
        for store_id, work_id in due:
            take_turn(pages.site, store_id, work_id)

    return do


def add_box(
    conn: Connection, store_id: int, number: int, state: State, reason: str | None = None, **columns: Any
) -> Any:
    """A box with the number SUB-…."""
    new = NewOrder(store_id, number, f"SUB-{number}", "subscription", "adhoc", state, reason)
    row = insert_order(conn, new, NOW, **{"lines": LINES, "country": "US", "target_at": NOW} | columns)
    assert row is not None
    return row
