"""Connecting a warehouse: what is asked for, what is wrong with it, and what is never shown again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import find_warehouse
from pipeline.ledger.queries.audit import list_actions
from pipeline.operations.warehouse_form import place_errors
from pipeline.warehouses import WAREHOUSES
from pipeline.warehouses.signed_webhook import SignedWebhook
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.warehouse.conftest import HERS, WAREHOUSE

KEYS = f"{WAREHOUSE}/connect/cartrover"


def row_of(pages, store_id):
    with reading(pages.site.engine) as conn:
        return find_warehouse(conn, store_id)


def test_each_warehouse_is_offered_with_what_to_switch_off_first(visitor):
    visitor.go(WAREHOUSE)

    assert [warehouse.title in visitor.text for warehouse in WAREHOUSES.values()] == [True] * len(WAREHOUSES)
    assert "switch off its own Cratejoy connection" in visitor.text


@pytest.mark.parametrize("adapter", sorted(WAREHOUSES))
def test_the_form_asks_for_what_the_adapter_declares(visitor, adapter):
    page = visitor.go(f"{WAREHOUSE}/connect/{adapter}")

    assert [one.key for one in WAREHOUSES[adapter].fields if f'name="{one.key}"' not in page] == []
    assert 'name="earliest_order_at"' in page
    assert ("The keys are checked" in page) == any(one.secret for one in WAREHOUSES[adapter].fields)
    assert "witch off" in WAREHOUSES[adapter].steps[0]


def test_a_warehouse_starts_in_dry_run_and_the_audit_log_says_who_connected_it(pages, store_id, connected):
    row = row_of(pages, store_id)
    with reading(pages.site.engine) as conn:
        actions = [action.action for action in list_actions(conn, None)]

    assert (row.adapter, row.mode, row.settings["earliest_order_at"]) == ("cartrover", "dry_run", "2026-01-01")
    assert "warehouse.connected" in actions
    assert "nothing is sent" in connected.text


def test_a_key_is_never_shown_again(connected, typed):
    page = connected.go(KEYS)

    assert typed["api_user"] in page
    assert typed["api_key"] not in page


def test_a_key_that_is_left_empty_is_kept(pages, store_id, connected, typed):
    connected.go(KEYS)
    connected.send(**typed | {"api_key": ""})
    row = row_of(pages, store_id)

    assert "The keys are saved." in connected.text
    assert decrypt(pages.site.settings.secret_keys, row.config, row.identity)["api_key"] == typed["api_key"]


def test_a_saved_key_goes_to_no_other_address(connected, typed):
    connected.go(KEYS)
    connected.send(**typed | {"api_key": "", "base_url": "https://elsewhere.example.com/v1"})

    assert (connected.status, "Base URL is another address: enter API key too." in connected.text) == (422, True)


def test_refused_keys_are_said_at_the_key_and_nothing_is_saved(pages, store_id, visitor, typed):
    visitor.go(KEYS)
    visitor.send(**typed | {"api_key": "another"})

    assert 'id="api_key-errors"' in visitor.page
    assert (visitor.status, row_of(pages, store_id)) == (422, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"api_user": ""}, "API user is missing."),
        ({"earliest_order_at": ""}, "Earliest date is missing."),
        ({"earliest_order_at": "soon"}, "Earliest date must be a day such as 2026-01-31."),
        ({"cancel_call": "never"}, "How orders are cancelled must be one of wms_cancel, legacy."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(pages, store_id, visitor, typed, wrong, said):
    visitor.go(KEYS)
    visitor.send(**typed | wrong)

    assert re.search(rf'id="{next(iter(wrong))}"[^>]* autofocus', visitor.page)
    assert visitor.page.count("autofocus") == 1
    assert f'id="{next(iter(wrong))}-errors"' in visitor.page
    assert said in visitor.text
    assert (visitor.status, row_of(pages, store_id)) == (422, None)


def test_an_address_is_asked_of_strangers_only_where_there_is_no_other(pages, store_id):
    settings = replace(pages.site.settings, connect_anywhere=False)
    visitor = PagesInstallation.of(replace(pages.site, settings=settings), pages.clock).logged_in(HERS)

    assert 'name="base_url"' not in visitor.go(KEYS)
    assert 'name="url"' in visitor.go(f"{WAREHOUSE}/connect/{SignedWebhook.adapter}")


def test_an_error_that_names_no_field_is_said_above_the_form():
    fields = WAREHOUSES["cartrover"].fields

    assert place_errors("api_user is missing; it rains", fields) == {
        "api_user": "API user is missing.",
        "": "It rains.",
    }


def test_a_warehouse_that_there_is_not_is_not_found(visitor):
    visitor.go(f"{WAREHOUSE}/connect/attic")

    assert visitor.status == 404
