"""No platform gets anything about people who are withheld: tried the whole way from the hook to its server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from pipeline.core.messages import PersonRef
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection, set_connection_config
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import save_store
from receiver.cli import main
from tasks import process
from tests.builders import NOW
from tests.contracts.test_destinations import KITS
from tests.installation import make_hook
from tests.receiver.cli.lanes import run_lanes

SENT = PersonRef(1, 770_011, "sam.shop@example.com")
WITHHELD = {
    "a Marketplace buyer": PersonRef(2, 770_022, "mara.market@example.com"),
    "a buyer of unknown origin": PersonRef(3, 770_033, "uma.unknown@example.com"),
    "a gift recipient of a shop that sends them nothing": PersonRef(4, None, "gus.gift@example.com"),
    "a person who was erased": PersonRef(5, 770_055, "eve.erased@example.com"),
}
SHOP, MARKET, UNANSWERED = 1, 2, 3  # values of `source`


@pytest.fixture(params=KITS)
def kit(request):
    with KITS[request.param]() as kit:
        yield kit


@pytest.fixture
def connected(installed, kit, monkeypatch):
    """A shop with strict settings about consent, connected to the platform; the connection's id."""
    ours = replace(installed.process, http=kit.http)
    monkeypatch.setitem(process._contexts, next(iter(process._contexts)), ours)
    with writing(ours.engine) as conn:
        store = save_store(conn, "acme", NOW)
        link = save_connection(conn, NewConnection(store.id, kit.platform, "1", b""), NOW)
        set_connection_config(conn, link.id, encrypt(ours.settings.secret_keys, kit.config(), link.identity))
        strict = {"marketplace_sources": ["2"], "storefront_sources": ["1"], "gift_recipients": "withhold"}
        conn.execute(update(core.Store).values(**strict))
    return replace(installed, process=ours), link.id


def order(number, person, source, **gift):
    buyer = {"id": person.customer_id, "email": person.email, "first_name": "A", "type": "customer"}
    body = {"id": number, "customer": buyer, "total": 3495, "is_gift": bool(gift), "source": source, "type": "order"}
    return make_hook(json.dumps({**body, **gift}).encode())


def test_nothing_about_a_withheld_person_reaches_it(connected, kit):
    installation, connection = connected
    market, unknown, recipient, erased = WITHHELD.values()
    card = {"gift_recipient_email": recipient.email, "gift_recipient_name": "Gus", "gift_message": "", "id": 9}
    installation.record(
        order(1, SENT, SHOP),
        order(2, market, MARKET),
        order(3, unknown, UNANSWERED),
        order(4, SENT, SHOP, order_gift_info=card),
        order(5, erased, SHOP),
    )
    typed = ["people", "erase", erased.email, "--store", "acme", "--yes", "--suppress"]
    done = CliRunner().invoke(main, typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    installation.record(order(6, erased, SHOP))

    run_lanes(installation, connection)

    sent = b"\n".join(kit.bodies()).decode()
    assert kit.knows(SENT)
    assert SENT.email in sent
    for who, person in WITHHELD.items():
        assert not kit.knows(person), who
        assert str(person.email) not in sent, who
        assert str(person.customer_id or "gus") not in sent, who
