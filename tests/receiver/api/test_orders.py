"""Boxes and warehouses by a token: listed, shown, released, tried again and sent again."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pipeline.core.fulfilment import Address, Line, Order, Package, State
from pipeline.fulfilment.sealed_order import seal_order
from pipeline.fulfilment.stored_settings import change_stored
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.orders import NewOrder, change_order, get_order, insert_order
from pipeline.ledger.fulfilment.packages import add_packages
from pipeline.ledger.fulfilment.warehouses import build_warehouse_identity, save_warehouse, update_warehouse
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.fulfilment import FulfilmentOrder, Warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from receiver.cli import main
from tests.receiver.api.conftest import find_deviations
from tests.receiver.api.test_resources import items

ACME, EVES = 1, 2
HOUR_US = 3_600_000_000
ADDRESS = Address("Bea Buyer", "1 Elm Street", "Springfield", "US", address2="Unit 4", zip="90210")
PERSONAL = ("Bea Buyer", "Elm Street", "90210", "For Bea", "1Z999", "a word of the warehouse")
FIGURES = (
    *("warehouse", "mode", "status", "reason", "trouble", "boxes", "quarantined", "paid_not_sent"),
    *("sent_without_tracking", "shipped_customer_not_informed"),
)
LINE = Line(1, "BOX", "BOX", "Box", 2, (11,))


def add_box(conn, store_id, number, state, reason=None, **columns):
    new = NewOrder(store_id, number, f"SUB-{number}", "subscription", "adhoc", State(state), reason)
    lines = [{"line_no": 1, "sku": "BOX", "source_sku": "BOX", "description": "Box", "quantity": 2}]
    return insert_order(conn, new, columns.pop("now"), **{"lines": lines, "country": "US"} | columns)


@pytest.fixture
def packed(filled):
    """Acme's live warehouse has had boxes for two hours, one with all that is personal; eve's has one."""
    keys, now = filled.installed.process.settings.secret_keys, filled.clock[0]
    past = now - 2 * HOUR_US
    with writing(filled.engine) as conn:
        for store_id in (ACME, EVES):
            config = {"api_user": "u", "api_key": "secret-key"}
            sealed = encrypt(keys, config, build_warehouse_identity(store_id))
            save_warehouse(conn, store_id, "cartrover", sealed, past)
        settings = change_stored({}, {"earliest_order_at": "2026-01-01"})
        update_warehouse(conn, ACME, mode="live", accepted_at=past, settings=settings)
        api_keys = {"client_id": "id", "client_secret": "secret", "base_url": "http://127.0.0.1:9"}
        save_store_api(conn, ACME, encrypt(keys, api_keys, build_api_identity(ACME)), past)
        held = add_box(conn, ACME, 1, "held", "unpaid", now=past, due_at=past)
        payload = seal_order(keys, held.identity, build_order())
        change_order(conn, held, past, payload=payload)
        add_packages(conn, held.id, [Package("1Z999", "UPS", url="https://example.com/1Z999")], "poll", past)
        detail = EventDraft("refused", detail={"fields": [["name", "a word of the warehouse"]]})
        add_fulfilment_event(conn, About(ACME, held.id, "held", "held"), detail, past)
        add_box(conn, ACME, 2, "ready", now=past, due_at=past)
        add_box(conn, ACME, 3, "cancelled", "cancelled_at_cratejoy", now=past)
        add_box(conn, ACME, 4, "held", "invalid_address", now=past, due_at=past)
        add_box(conn, EVES, 9, "held", "unpaid", now=past, due_at=past)
    return filled


def build_order():
    return Order(
        *("SUB-1", 1, "subscription", "adhoc", 0, 0, "STANDARD"), ADDRESS, (LINE,), "f", gift_message="For Bea"
    )


def run(command):
    typed = ["fulfilment", command, "--store", "acme", "--json"]
    return json.loads(CliRunner().invoke(main, typed, catch_exceptions=False).stdout)


def pick(row, names):
    return {name: row[name] for name in names}


def numbers(answer):
    return [row["order_number"] for row in items(answer)]


def test_orders_are_listed_by_what_is_asked_for(packed):
    caller = packed.caller("read")
    wanted = {
        "shop=acme": ["SUB-4", "SUB-3", "SUB-2", "SUB-1"],
        "state=held": ["SUB-4", "SUB-1"],
        "reason=unpaid": ["SUB-1"],
        "billing_type=ecom": [],
        "number=sub-2": ["SUB-2"],
        "number=3": ["SUB-3"],
    }

    assert {query: numbers(caller.get(f"/orders?{query}")) for query in wanted} == wanted


def test_pages_show_every_order_once(packed):
    caller, seen, cursor = packed.caller("read"), [], ""
    while cursor is not None:
        answer = caller.get(f"/orders?limit=1{cursor and '&cursor='}{cursor}")
        seen += numbers(answer)
        cursor = answer.get_json()["next_cursor"]

    assert seen == ["SUB-4", "SUB-3", "SUB-2", "SUB-1"]


def test_an_order_has_its_life_its_parcels_and_its_address(packed):
    order = packed.caller("read", "read-people").get("/orders/1").get_json()

    assert (order["order_number"], order["state"], order["cure"]) == (
        "SUB-1",
        "held",
        "It goes out when Cratejoy says paid.",
    )
    assert [event["kind"] for event in order["events"]] == ["found", "refused"]
    assert [parcel["tracking_number"] for parcel in order["packages"]] == ["1Z999"]
    assert (order["ship_to"]["name"], order["ship_to"]["address2"]) == ("Bea Buyer", "Unit 4")
    assert order["gift_message"] == "For Bea"


def test_who_gets_a_box_needs_its_own_scope(packed):
    caller = packed.caller("read", "replay", "operate")
    shown = "".join(caller.get(path).text for path in ("/orders", "/orders/1", "/warehouses", "/warehouses/acme"))

    assert [mark for mark in (*PERSONAL, "secret-key") if mark in shown] == []


def test_an_order_is_released_and_recorded_with_the_token(packed):
    caller = packed.caller("read", "replay")
    released = caller.post("/orders/1/release").get_json()
    entry = packed.installed.rows(AuditEntry)[-1]

    assert (released["state"], released["events"][-1]["kind"]) == ("ready", "release")
    assert (entry.action, entry.via, entry.token_id, entry.about) == (
        "box.release",
        "api",
        1,
        {"order": 1, "shipment": 1},
    )


def test_an_order_says_what_can_be_done_about_it_and_nothing_else_is_done(packed):
    caller = packed.caller("read", "replay")
    with writing(packed.engine) as conn:
        change_order(conn, get_order(conn, 4), packed.clock[0], reason="outcome_unknown")
    actions = [caller.get(f"/orders/{order_id}").get_json()["actions"] for order_id in (3, 4)]
    decided = [caller.post("/orders/4/decide", {"what": what}) for what in ("write_tracking", "mark_sent")]
    decided.append(caller.post("/orders/4/decide", {"what": "dismiss_notice"}))

    assert (actions[0], "mark_sent" in actions[1]) == (["resend"], True)
    assert [answer.status_code for answer in decided] == [409, 200, 409]
    assert decided[1].get_json()["state"] == "at_warehouse"


def test_an_order_that_only_its_cure_ends_is_not_released(packed):
    answer = packed.caller("replay").post("/orders/4/release")

    assert (answer.status_code, "Correct the address" in answer.get_json()["detail"]) == (409, True)


def test_an_order_is_tried_again_at_once(packed):
    caller = packed.caller("read", "replay")
    later = packed.clock[0] + HOUR_US
    with writing(packed.engine) as conn:
        change_order(conn, get_order(conn, 2), packed.clock[0], next_attempt_at=later, attempts=3)
    assert caller.get("/orders/2").get_json()["next_attempt_at"] is not None

    tried = caller.post("/orders/2/retry").get_json()

    assert (tried["state"], tried["next_attempt_at"], tried["attempts"]) == ("ready", None, 0)


def test_a_cancelled_order_is_sent_again_once_and_only_if_that_is_confirmed(packed):
    caller = packed.caller("read", "replay")
    asked = caller.post("/orders/3/resend", {})
    sent = caller.post("/orders/3/resend", {"confirm": True})
    again = caller.post("/orders/3/resend", {"confirm": True})

    assert ("the customer gets two" in asked.get_json()["detail"], asked.status_code) == (True, 409)
    assert (sent.status_code, sent.get_json()["order_number"], sent.get_json()["state"]) == (201, "SUB-3-R1", "ready")
    assert (again.status_code, again.get_json()["detail"]) == (409, "SUB-3 was sent again already.")


def test_orders_and_the_warehouse_of_another_account_are_not_there(packed):
    caller = packed.caller()
    theirs = [str(row.id) for row in packed.installed.rows(FulfilmentOrder) if row.store_id == EVES]
    paths = [("GET", f"/orders/{theirs[0]}"), ("GET", "/warehouses/eves"), ("GET", "/orders?shop=eves")]
    paths += [("POST", f"/orders/{theirs[0]}/{action}") for action in ("release", "retry", "resend", "decide")]
    paths += [("POST", f"/warehouses/eves/{action}") for action in ("pause", "resume")]
    bodies = {f"/orders/{theirs[0]}/resend": {"confirm": True}, f"/orders/{theirs[0]}/decide": {"what": "ignore"}}
    before = packed.installed.rows(FulfilmentOrder), packed.installed.rows(Warehouse)

    assert {caller.call(*key, json=bodies.get(key[1])).status_code for key in paths} == {404}
    assert (packed.installed.rows(FulfilmentOrder), packed.installed.rows(Warehouse)) == before
    assert [row["shop"] for row in items(caller.get("/warehouses"))] == ["acme"]


def test_a_warehouse_has_its_figures_and_the_lists_that_should_be_empty(packed):
    warehouse = packed.caller("read").get("/warehouses/acme").get_json()
    counts = {(one["state"], one["reason"]): one["count"] for one in warehouse["boxes"]}

    assert (warehouse["warehouse"], warehouse["mode"], warehouse["status"]) == ("cartrover", "live", "active")
    assert counts["held", "invalid_address"] == 1
    assert warehouse["paid_not_sent"] == ["SUB-4", "SUB-2"]
    assert (warehouse["sent_without_tracking"], warehouse["shipped_customer_not_informed"]) == ([], [])


def test_a_warehouse_is_paused_and_resumed(packed):
    caller = packed.caller("read", "operate")
    paused = [caller.post("/warehouses/acme/pause") for _ in range(2)]
    resumed = [caller.post("/warehouses/acme/resume") for _ in range(2)]

    assert [answer.status_code for answer in (*paused, *resumed)] == [200, 409, 200, 409]
    assert (paused[0].get_json()["reason"], resumed[0].get_json()["status"]) == ("paused by hand", "active")


def test_a_shop_without_a_warehouse_has_none(filled):
    caller = filled.caller("read")

    assert (items(caller.get("/warehouses")), items(caller.get("/orders"))) == ([], [])
    assert caller.get("/warehouses/acme").status_code == 404


def test_what_is_answered_is_as_the_document_says(packed):
    answers = {
        "OrderPage": "/orders",
        "OrderDetail": "/orders/1",
        "WarehousePage": "/warehouses",
        "WarehouseDetail": "/warehouses/acme",
    }

    assert find_deviations(packed.caller(), answers) == {}


def test_the_command_line_has_the_same_orders_and_figures(packed):
    caller = packed.caller("read")
    orders, warehouse = items(caller.get("/orders")), caller.get("/warehouses/acme").get_json()
    same = ("order_number", "state", "reason", "billing_type", "country", "is_gift", "notice")

    assert [pick(row, same) for row in run("orders")] == [pick(row, same) for row in orders]
    status = run("status")
    assert {name: status[name] for name in FIGURES} == {name: warehouse[name] for name in FIGURES}
