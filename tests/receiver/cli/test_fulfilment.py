"""`cratewire fulfilment`: from the connecting to a box that a person releases, against the sandbox."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fulfilment.run import run_lane
from pipeline.fulfilment.schedule import PULL_LANES
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import save_store
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from sandbox.warehouse.server import run_in_thread as run_warehouse
from tests.pipeline.fulfilment.bridge import KEYS
from tests.pipeline.sandbox_store import StoreControl

KEY_OPTIONS = ("--key", f"api_user={KEYS.api_user}", "--key", f"api_key={KEYS.api_key}")


@pytest.fixture
def shop():
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def warehouse_url():
    with run_warehouse(KEYS) as running:
        yield f"{running.url}/cartrover/v1"


@pytest.fixture
def typed(shell, installed, shop, warehouse_url, monkeypatch):
    """Runs `cratewire fulfilment …` for a store whose warehouse has just been connected, after its first pass."""
    monkeypatch.setenv("CRATEWIRE_CRATEJOY_RATE", "1000")
    context = replace(installed.process, settings=replace(installed.process.settings, cratejoy_rate=1_000.0))
    with writing(context.engine) as conn:
        store_id = save_store(conn, "acme", context.now()).id
        sealed = encrypt(context.settings.secret_keys, shop.credentials().as_config(), build_api_identity(store_id))
        save_store_api(conn, store_id, sealed, context.now())
    shop.control("sales", {"billing": "ecom", "target": "2026-03-01T00:00:00Z"})
    shop.control("sales", {"billing": "ecom", "target": "2026-03-01T00:00:00Z", "is_paid": False})

    def type_(name, *more):
        return shell.json("fulfilment", name, "--store", "acme", *more)

    type_.connected = type_(
        *("connect", "--warehouse", "cartrover", *KEY_OPTIONS, "--key", f"base_url={warehouse_url}"),
        *("--set", "earliest_order_at=2026-01-01", "--set", "cooling_off_signup_s=0"),
    )
    for lane in PULL_LANES:
        run_lane(context, store_id, lane)
    return type_


def test_a_connected_warehouse_is_in_dry_run(typed):
    assert (typed.connected["warehouse"], typed.connected["mode"]) == ("cartrover", "dry_run")
    assert typed("status")["mode"] == "dry_run"


def test_the_report_of_the_dry_run_says_what_would_go_and_why_the_rest_would_not(typed):
    report = typed("dry-run")

    assert (report["is_whole"], report["would_go"]) == (True, 1)
    assert {(one["state"], one["reason"]) for one in report["counts"]} == {("ready", None), ("held", "unpaid")}


def test_a_report_that_has_changed_is_not_accepted(typed, shell):
    assert "read the report again" in shell.complaint("fulfilment", "go-live", "--store", "acme", "--accept", "7")


def test_an_accepted_report_switches_it_to_live(typed):
    assert typed("go-live", "--accept", "1")["mode"] == "live"


def test_a_held_box_is_listed_and_shown_and_released(typed):
    (held,) = typed("orders", "--state", "held")
    released = typed("release", held["order_number"])
    shown = typed("show", held["order_number"])

    assert (held["reason"], released["state"]) == ("unpaid", "ready")
    assert [event["kind"] for event in shown["events"]] == ["found", "unpaid", "release"]


def test_what_cannot_be_released_says_what_would_end_it(typed, shell):
    (ready,) = typed("orders", "--state", "ready")

    assert "only a box that is held" in shell.complaint(
        "fulfilment", "release", ready["order_number"], "--store", "acme"
    )


def test_a_setting_is_changed_and_a_wrong_one_is_explained(typed, shell):
    changed = {one["name"]: one["value"] for one in typed("settings", "future_days=3")}

    assert changed["future_days"] == "3"
    assert "future_days" in shell.complaint("fulfilment", "settings", "future_days=soon", "--store", "acme")


def test_a_paused_warehouse_is_resumed(typed, shell):
    states = [typed(name)["status"] for name in ("pause", "resume")]

    assert states == ["paused", "active"]
    assert "not paused" in shell.complaint("fulfilment", "resume", "--store", "acme")


def test_keys_that_the_warehouse_refuses_are_not_saved(typed, shell, warehouse_url):
    keys = ("--key", "api_user=other", "--key", "api_key=other", "--key", f"base_url={warehouse_url}")
    more = ("--warehouse", "cartrover", "--store", "acme", *keys)

    assert "refuses the keys" in shell.complaint("fulfilment", "connect", *more)


def test_the_texts_name_the_boxes_and_the_command_that_accepts_them(typed, shell):
    said = {name: shell.said("fulfilment", name, "--store", "acme") for name in ("status", "dry-run", "orders")}

    assert "--accept 1" in said["dry-run"]
    assert "held" in said["orders"]
    assert "paid not sent: none" in said["status"]
    assert "api_user" in shell.said("fulfilment", "warehouses")
