"""A store gets another warehouse, or another account of the same, while the outcome of a box is not known."""

from __future__ import annotations

import pytest

from bench.warehouse_configs import build_config
from pipeline.fulfilment.other_warehouse import is_same_account
from pipeline.fulfilment.set_up import connect_warehouse, go_live
from tests.pipeline.fulfilment.bridge import HOUR, MINUTE


def connect(bridge, adapter):
    config = build_config(adapter, bridge.warehouse.url)
    connect_warehouse(bridge.context, bridge.store_id, adapter, config, {})


def lose_answer(bridge):
    """A box that the warehouse has, and whose worker was killed before it could write that down."""
    shipment = bridge.sell()
    bridge.run("pull_adhoc")
    bridge.kill("after", "create", lane="deliver")
    return shipment


def test_a_box_that_the_warehouse_before_may_have_is_left_to_a_person(bridge):
    shipment = lose_answer(bridge)

    connect(bridge, "extensiv_3pl")
    bridge.settle()
    go_live(bridge.context, bridge.store_id, bridge.report().would_go)
    for _ in range(6):
        bridge.wait(11 * MINUTE)

    assert (bridge.state(shipment), len(bridge.sent(shipment))) == ("held(outcome_unknown)", 1)


def test_a_cancel_that_the_warehouse_before_has_not_answered_is_left_to_a_person(bridge):
    shipment = bridge.sell()
    bridge.search()
    bridge.do("shipments", shipment, "cancel")
    bridge.kill("before", "cancel", lane="cancels")

    connect(bridge, "extensiv_3pl")

    assert bridge.state(shipment) == "cancel_refused(other_warehouse)"


def move(bridge):
    """Connect another warehouse, and go live there."""
    connect(bridge, "extensiv_3pl")
    bridge.settle()
    go_live(bridge.context, bridge.store_id, bridge.report().would_go)


def test_a_box_that_is_at_the_warehouse_before_is_cancelled_there_by_a_person(bridge):
    shipment = bridge.sell()
    bridge.search()
    move(bridge)
    bridge.do("shipments", shipment, "cancel")
    bridge.hint(("shipment", shipment))
    bridge.wait(HOUR)

    assert bridge.state(shipment) == "cancel_refused(other_warehouse)"
    assert "retry" not in bridge.requests().list_choices(bridge.box(shipment), is_newest=True)


def test_a_held_box_that_the_warehouse_before_may_have_is_cancelled_there_by_a_person(bridge):
    shipment = lose_answer(bridge)
    move(bridge)
    bridge.do("shipments", shipment, "cancel")
    bridge.hint(("shipment", shipment))
    bridge.wait(HOUR)

    assert bridge.state(shipment) == "cancel_refused(other_warehouse)"


def test_a_box_that_the_warehouse_before_may_have_goes_out_only_under_a_new_number(bridge):
    shipment = lose_answer(bridge)
    move(bridge)

    choices = bridge.requests().list_choices(bridge.box(shipment), is_newest=True)

    assert ("resend" in choices, "retry" in choices) == (True, False)


def test_another_account_of_the_same_warehouse_begins_in_dry_run(bridge):
    config = build_config("cartrover", bridge.warehouse.url)
    other = config | {"base_url": config["base_url"] + "/"}
    row, _ = connect_warehouse(bridge.context, bridge.store_id, "cartrover", other, {})

    assert row.mode == "dry_run"


def test_other_secrets_of_the_same_account_change_no_box(bridge):
    shipment = lose_answer(bridge)

    connect(bridge, "cartrover")
    bridge.wait(HOUR)

    assert bridge.state(shipment) != "held(outcome_unknown)"


@pytest.mark.parametrize(
    ("adapter", "key", "value", "is_same"),
    [
        ("cartrover", "api_key", "new", True),
        ("cartrover", "api_user", "another", False),
        # How an account is used is none of what names it: its boxes stay where they are, and it stays live.
        ("cartrover", "cancel_call", "legacy", True),
        ("extensiv_3pl", "calls_per_second", "4", True),
        ("extensiv_3pl", "billing_code", "Collect", True),
        ("extensiv_3pl", "facility", "2", False),
        ("signed_webhook", "order_query", "no", True),
        ("signed_webhook", "url", "https://other.example.com", False),
        ("spreadsheet", "preset", "generic", True),
        ("spreadsheet", "columns", "Order ID = reference", True),
        ("spreadsheet", "tracking_heading", "Label", True),
        ("spreadsheet", "date_order", "day_first", True),
    ],
)
def test_an_account_is_known_by_what_names_it(adapter, key, value, is_same):
    before = build_config(adapter, "https://warehouse.example.com") | {"preset": "pirate_ship"}

    assert is_same_account(adapter, before, before | {key: value}) is is_same
