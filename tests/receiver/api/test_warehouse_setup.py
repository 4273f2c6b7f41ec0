"""A warehouse by a token: connected, set up, accepted in its dry run; its keys are written and never read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.accounts import create_account, get_account_name
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.runs import begin_run, end_run
from pipeline.ledger.fulfilment.warehouses import build_warehouse_identity, find_warehouse, save_warehouse
from pipeline.ledger.schema.fulfilment import Warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import save_store
from pipeline.warehouses import WAREHOUSES
from receiver.api.app import create_api
from receiver.api.limits import RequestLimits
from tests.receiver.api.conftest import NO_LIMIT, Caller, find_deviations
from tests.receiver.api.test_orders import ACME, EVES, add_box
from tests.receiver.api.test_resources import items, list_audited

CONNECT = "/warehouses/acme/connect"
SPREADSHEET = {
    "warehouse": "spreadsheet",
    "keys": {"preset": "generic"},
    "settings": {"earliest_order_at": "2026-01-01"},
}
CARTROVER = {"warehouse": "cartrover", "keys": {"api_user": "u", "api_key": "a-secret-key"}}
NOWHERE = "http://127.0.0.1:9"  # nothing answers there


@pytest.fixture
def bare(api):
    """Acme has no warehouse; the shop of eve, who has another account, has one."""
    with writing(api.engine) as conn:
        save_store(conn, "acme", api.clock[0])
        save_store(conn, "eves", api.clock[0], account=get_account_name(conn, create_account(conn, api.clock[0])))
        save_cartrover(api, conn, EVES)
    return api


@pytest.fixture
def shop(bare):
    """Acme's keys of Cratejoy are saved."""
    keys, api_keys = bare.installed.process.settings.secret_keys, {"client_id": "id", "client_secret": "secret"}
    sealed = encrypt(keys, api_keys | {"base_url": NOWHERE}, build_api_identity(ACME))
    with writing(bare.engine) as conn:
        save_store_api(conn, ACME, sealed, bare.clock[0])
    return bare


def save_cartrover(api, conn, store_id):
    sealed = encrypt(
        api.installed.process.settings.secret_keys,
        CARTROVER["keys"] | {"base_url": f"{NOWHERE}/v1"},
        build_warehouse_identity(store_id),
    )
    save_warehouse(conn, store_id, "cartrover", sealed, api.clock[0])


@pytest.fixture
def connected(shop):
    """Acme's boxes go out by spreadsheets."""
    assert shop.caller().post(CONNECT, SPREADSHEET).status_code == 200
    return shop


def faults(answer):
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["detail"] for error in answer.get_json()["errors"]}


def find_row(api):
    with reading(api.engine) as conn:
        return find_warehouse(conn, ACME)


def read_keys(api):
    row = find_row(api)
    return decrypt(api.installed.process.settings.secret_keys, row.config, row.identity)


def test_the_kinds_of_warehouses_say_what_they_need(shop):
    kinds = {kind["warehouse"]: kind for kind in items(shop.caller("read").get("/warehouse-kinds"))}
    keys = {key["key"]: key for key in kinds["cartrover"]["keys"]}

    assert kinds.keys() == WAREHOUSES.keys()
    assert (keys["api_key"]["secret"], keys["cancel_call"]["choices"]) == (True, ["wms_cancel", "legacy"])
    assert "switch off" in " ".join(kinds["cartrover"]["steps"])


def test_a_warehouse_is_connected_in_dry_run_and_recorded_with_the_token(shop):
    answer = shop.caller("settings").post(CONNECT, SPREADSHEET)
    made = answer.get_json()

    assert (made["warehouse"], made["mode"], made["status"]) == ("spreadsheet", "dry_run", "active")
    assert made["account"]["columns"][0] == "Reference"
    assert list_audited(shop, "warehouse.connected") == [("api", 1, {})]


def test_a_secret_is_written_and_never_read_back(shop):
    with writing(shop.engine) as conn:
        save_cartrover(shop, conn, ACME)
    answer = shop.caller().get("/warehouses/acme/keys")
    keys = {key["key"]: (key["value"], key["is_saved"]) for key in answer.get_json()["keys"]}

    assert (keys["api_user"], keys["api_key"], "a-secret-key" in answer.text) == (("u", True), (None, True), False)


def test_every_value_that_cannot_be_used_is_named(shop):
    wrong = {
        "warehouse": "cartrover",
        "keys": {"api_user": " "},
        "settings": {"earliest_order_at": "soon", "future_days": 91, "item_filter": "allow"},
    }
    said = faults(shop.caller().post(CONNECT, wrong))
    at_adapter = shop.caller().post(CONNECT, SPREADSHEET | {"keys": {"preset": "paper"}})
    unknown = shop.caller().post(CONNECT, SPREADSHEET | {"keys": {"api_user": "u"}})

    assert said == {
        "keys.api_user": "API user is missing.",
        "keys.api_key": "API key is missing.",
        "settings.earliest_order_at": "Earliest date must be a day such as 2026-01-31.",
        "settings.future_days": "Days ahead must be a whole number from 0 to 90.",
    }
    assert faults(at_adapter)["keys.preset"].startswith("Columns for must be one of")
    assert (list(faults(unknown)), find_row(shop)) == (["keys.api_user"], None)


def test_a_warehouse_that_does_not_answer_is_not_connected(shop):
    keys = CARTROVER["keys"] | {"base_url": f"{NOWHERE}/v1"}
    answer = shop.caller().post(CONNECT, SPREADSHEET | {"warehouse": "cartrover", "keys": keys})

    assert (answer.status_code, "does not answer" in answer.get_json()["detail"]) == (409, True)
    assert find_row(shop) is None


def test_without_the_keys_of_cratejoy_no_warehouse_is_connected(bare):
    answer = bare.caller().post(CONNECT, SPREADSHEET)

    assert (answer.status_code, "Client ID and Secret" in answer.get_json()["detail"]) == (409, True)


def test_a_key_that_is_left_out_is_kept_and_an_empty_one_cleared(connected):
    caller, more = connected.caller(), {"warehouse": "spreadsheet", "keys": {"columns": "Order ID = reference"}}
    caller.post(CONNECT, more)
    both = read_keys(connected)
    caller.post(CONNECT, {"warehouse": "spreadsheet", "keys": {"columns": ""}})

    assert (both, read_keys(connected)) == (SPREADSHEET["keys"] | more["keys"], SPREADSHEET["keys"])


def test_a_saved_key_goes_to_no_other_address(shop):
    with writing(shop.engine) as conn:
        save_cartrover(shop, conn, ACME)
    moved = CARTROVER | {"keys": {"base_url": "https://elsewhere.example.com/v1"}}

    assert faults(shop.caller().post(CONNECT, moved)) == {
        "keys.base_url": "Base URL is another address: enter API key too."
    }


def test_strangers_name_an_address_only_where_there_is_no_other(shop):
    context = shop.app.extensions["cratewire.context"]
    closed = replace(context, settings=replace(context.settings, connect_anywhere=False))
    caller = Caller(create_api(closed, RequestLimits(NO_LIMIT)), shop.make_token())
    named = CARTROVER["keys"] | {"base_url": f"{NOWHERE}/v1"}

    assert list(faults(caller.post(CONNECT, CARTROVER | {"keys": named}))) == ["keys.base_url"]
    assert "base_url" not in caller.get("/warehouse-kinds").text


def test_keys_that_no_secret_key_opens_any_more_are_given_anew(connected):
    with writing(connected.engine) as conn:
        conn.execute(Warehouse.__table__.update().where(Warehouse.store_id == ACME).values(config=b"lost"))
    caller = connected.caller()
    shown = caller.get("/warehouses/acme/keys").get_json()["keys"]

    assert {key["is_saved"] for key in shown} == {False}
    assert caller.post(CONNECT, SPREADSHEET).status_code == 200


def test_the_saved_keys_are_tried_as_often_as_a_platform_takes(connected):
    caller = connected.caller("operate")
    answers = [caller.post("/warehouses/acme/check") for _ in range(6)]

    assert answers[0].get_json()["account"]["columns"][0] == "Reference"
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]  # connecting was a try, too


def test_settings_are_shown_with_what_each_is(connected):
    shown = connected.caller("read").get("/warehouses/acme/settings").get_json()
    declared = {field["key"]: field for field in shown["fields"]}

    assert (shown["settings"]["earliest_order_at"], shown["settings"]["cooling_off_signup_s"]) == ("2026-01-01", 7200)
    assert declared.keys() == shown["settings"].keys()
    assert declared["future_days"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 90}
    assert (declared["earliest_order_at"]["required"], declared["future_days"]["default"]) == (True, 7)


def test_settings_are_changed_by_value_and_null_is_the_default(connected):
    caller = connected.caller("settings")
    first = {"future_days": 3, "ship_code_map": {"ORDER": {"code": "STD", "carrier": ""}}, "confirm_at_minute": "14:30"}
    changed = [caller.post("/warehouses/acme/settings", first).get_json()["settings"] for _ in range(2)]
    reset = caller.post("/warehouses/acme/settings", {"future_days": None}).get_json()["settings"]

    assert {key: changed[1][key] for key in first} == first
    assert (reset["future_days"], reset["confirm_at_minute"]) == (7, "14:30")
    assert len(list_audited(connected, "warehouse.settings_changed")) == 2  # what changes nothing is no change


def test_a_setting_that_cannot_be_used_is_named_and_none_is_changed(connected):
    caller = connected.caller("settings")
    wrong = {"future_days": 3, "no_tracking_days": 0, "time_zone": "Mars", "earliest_order_at": None}
    said = faults(caller.post("/warehouses/acme/settings", wrong))

    assert said == {
        "no_tracking_days": "Days until a box without tracking is listed must be a whole number from 1 to 60.",
        "time_zone": "Time zone of the store must be the name of a time zone such as America/Chicago.",
        "earliest_order_at": "Earliest date is missing.",
    }
    assert find_row(connected).settings["future_days"] == 7
    assert list(faults(caller.post("/warehouses/acme/settings", {"future_dayz": 1}))) == ["future_dayz"]


def read_all(api):
    """Every search of Cratejoy has ended; one box would go."""
    now = api.clock[0]
    with writing(api.engine) as conn:
        for job in ("pull_ecom", "pull_adhoc", "pull_standard"):
            end_run(conn, begin_run(conn, ACME, job, now, is_full=True), now, pages=1, rows=1)
        add_box(conn, ACME, 1, "ready", now=now, due_at=now)


def test_a_report_is_read_and_accepted_and_nothing_goes_live_otherwise(connected):
    caller = connected.caller("read", "settings")
    early = caller.get("/warehouses/acme/dry-run").get_json()
    read_all(connected)
    report = caller.get("/warehouses/acme/dry-run").get_json()
    bodies = [{"accepted": 1}, {"accepted": 2, "only_owner": True}, {"accepted": 1, "only_owner": True}]
    answers = [caller.post("/warehouses/acme/go-live", body) for body in (*bodies, bodies[-1])]

    assert (early["is_whole"], len(early["unread"])) == (False, 3)
    assert (report["is_whole"], report["would_go"], report["boxes"][0]["order_number"]) == (True, 1, "SUB-1")
    assert [answer.status_code for answer in answers] == [409, 409, 200, 409]
    assert (answers[2].get_json()["mode"], "live already" in answers[3].get_json()["detail"]) == ("live", True)
    assert [about for _, _, about in list_audited(connected, "warehouse.went_live")] == [{"boxes": 1}]


def test_only_an_owners_token_changes_settings(connected):
    caller = connected.caller(user=connected.member("operator"))

    assert "settings" not in caller.get("/token").get_json()["scopes"]
    assert caller.post("/warehouses/acme/settings", {"future_days": 3}).status_code == 403


def test_the_warehouse_of_another_account_is_not_there(connected):
    caller, before = connected.caller(), connected.installed.rows(Warehouse)
    paths = {
        ("GET", "keys"): None,
        ("GET", "settings"): None,
        ("GET", "dry-run"): None,
        ("POST", "connect"): SPREADSHEET,
        ("POST", "check"): None,
        ("POST", "settings"): {"future_days": 3},
        ("POST", "go-live"): {"accepted": 0, "only_owner": True},
    }
    answers = {key: caller.call(key[0], f"/warehouses/eves/{key[1]}", json=body) for key, body in paths.items()}

    assert {key: answer.status_code for key, answer in answers.items() if answer.status_code != 404} == {}
    assert connected.installed.rows(Warehouse) == before


def test_what_is_answered_is_as_the_document_says(connected):
    read_all(connected)
    answers = {
        "WarehouseKindPage": "/warehouse-kinds",
        "WarehouseDetail": "/warehouses/acme",
        "SavedWarehouseKeys": "/warehouses/acme/keys",
        "WarehouseSettings": "/warehouses/acme/settings",
        "DryRun": "/warehouses/acme/dry-run",
    }

    assert find_deviations(connected.caller(), answers) == {}
