"""One hook for several platforms: each has its own lane and state, and one that is down holds up no other."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection, set_connection_config
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import save_store
from tasks.app import app
from tests.builders import NOW
from tests.contracts.customerio_kits import sandbox_kit
from tests.contracts.klaviyo_kits import klaviyo_kit
from tests.contracts.webhook_kits import webhook_kit
from tests.installation import order_hook
from tests.servers.worker import worker
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

ORDERS, PEOPLE = 12, 3
AWAY = 500  # answers of the platform that is down


@pytest.fixture
def kits():
    with sandbox_kit() as customerio, klaviyo_kit() as klaviyo, webhook_kit() as webhook:
        yield customerio, klaviyo, webhook


@pytest.fixture
def connected(installed, kits):
    """A shop connected to all of them; the ids of the connections, in their order."""
    links = []
    with writing(installed.process.engine) as conn:
        store = save_store(conn, "acme", NOW)
        for kit in kits:
            link = save_connection(conn, NewConnection(store.id, kit.platform, kit.platform, b""), NOW)
            sealed = encrypt(installed.process.settings.secret_keys, kit.config(), link.identity)
            set_connection_config(conn, link.id, sealed)
            links.append(link.id)
    return links


def count_events(kit):
    return sum(kind == "event" for call in kit.delivered() for _, kind, _ in call)


def list_by_person(kit):
    """The names of the events of each person, as they came."""
    found = {}
    for call in kit.delivered():
        for who, kind, name in call:
            found.setdefault(who, []).extend([name] if kind == "event" else [])
    return [found[who] for who in sorted(found)]


def sweep():
    app.send_task("deliveries.sweep", queue="deliveries", expires=5)


def test_a_platform_that_is_down_holds_up_no_other(installed, connected, kits, tmp_path):
    customerio, klaviyo, webhook = kits
    for _ in range(AWAY):
        webhook.answer_next(503, retry_after=1)
    for number in range(1, ORDERS // 2 + 1):
        who = f"person-{number % PEOPLE}@example.com", 7000 + number % PEOPLE
        installed.record(order_hook(number, *who), order_hook(number, *who, event="order_updated"))

    with worker(installed.environment, tmp_path / "worker.log") as running:
        wait_until(
            lambda: count_events(customerio) == count_events(klaviyo) == ORDERS,
            lambda: running.said,
            meanwhile=sweep,
            interval_s=0.2,
        )
        lanes = {row.connection_id: row.failing_since is not None for row in installed.rows(core.Lane)}
        assert lanes == dict(zip(connected, (False, False, True), strict=True))
        assert webhook.delivered() == []

        webhook.receiver.next.clear()
        wait_until(lambda: count_events(webhook) == ORDERS, lambda: running.said, meanwhile=sweep, interval_s=0.2)

    sent = Counter((row.connection_id, row.status) for row in installed.rows(core.Delivery))
    assert sent == dict.fromkeys(
        [(link, "sent") for link in connected], ORDERS + len(profiles(installed, connected[0]))
    )
    for kit in kits:
        assert list_by_person(kit) == [["order_new", "order_updated"] * (ORDERS // 2 // PEOPLE)] * PEOPLE


def profiles(installed, link):
    return [row for row in installed.rows(core.Delivery) if row.connection_id == link and row.kind == "profile"]
