from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.observation import MISSED, RECEIVED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import find_store, save_store
from pipeline.reconciliation.collections import COLLECTIONS
from receiver.cli import main
from sandbox.store.server import run_in_thread
from sandbox.store.shop import customers
from sandbox.store.world import Options
from tests.pipeline.sandbox_store import StoreControl

DAY = 86_400_000_000


def call(*arguments):
    return CliRunner().invoke(main, ["reconcile", *arguments])


@pytest.fixture
def shop(installed, monkeypatch):
    """A store of the installation, connected an hour before its simulated time begins."""
    monkeypatch.setenv("CRATEWIRE_CRATEJOY_RATE", "1000")
    with run_in_thread(Options("id", "secret", start="2037-03-01T09:00:00Z")) as running:
        served, here = StoreControl(running), installed.process
        with writing(here.engine) as conn:
            store = save_store(conn, "acme", here.now())
            keys = encrypt(here.settings.secret_keys, served.credentials().as_config())
            save_store_api(conn, store.id, keys, here.now())
        yield served


def test_missing_events_are_recovered_and_reported(shop, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_RECONCILE_GRACE_SECONDS", "0")
    call("run", "--store", "acme", "--json")
    customers.register(shop.running.world.shop)  # no hook is registered for it

    result = call("run", "--store", "acme", "--json")

    assert json.loads(result.stdout)["recovered"] == {"customer_new": 1}


def test_a_store_that_was_compared_and_showed_nothing_is_not_called_uncompared(shop):
    call("run", "--store", "acme", "--json")

    text = call("report", "--store", "acme").output
    assert text == "In these days no store's API showed an event that needs a hook.\n"


def test_what_was_not_compared_is_not_reported_as_complete(shop, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_RECONCILE_GRACE_SECONDS", "90")
    customers.register(shop.running.world.shop)

    result = call("run", "--store", "acme")

    assert "Events of the last 90 s are left for the next run" in result.output


def test_a_store_that_has_us_wait_is_not_called_a_small_budget(shop):
    shop.fault(status=429, retry_after=7000)

    assert "the store has asked us to wait, for another " in call("run", "--store", "acme").output


def test_a_list_that_cannot_be_read_is_named_and_ends_with_1(shop):
    shop.fault(status=500, prefix="/v1/orders", times=5)

    result = call("run", "--store", "acme")

    assert (result.exit_code, "answered 500" in result.output) == (1, True)


def test_nothing_is_promised_of_lists_that_were_not_read(shop):
    shop.running.world.options = Options("id", "another secret")

    output = call("run", "--store", "acme").output

    assert "Nothing could be compared." in output
    assert "othing was missing" not in output


def test_every_list_that_was_not_read_says_so(shop):
    shop.running.world.options = Options("id", "another secret")

    table = call("run", "--store", "acme").output.partition("Nothing could")[0]

    rows = [line for line in table.splitlines() if line.startswith(tuple(COLLECTIONS))]
    assert len(rows) == len(COLLECTIONS)
    assert [row for row in rows if "not read" not in row and "refused" not in row] == []


def test_what_was_missing_in_some_lists_says_nothing_of_the_others(shop, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_RECONCILE_GRACE_SECONDS", "0")
    call("run", "--store", "acme", "--json")
    customers.register(shop.running.world.shop)
    shop.fault(status=500, prefix="/v1/orders", times=5)

    output = call("run", "--store", "acme").output

    assert "Recovered: 1 customer_new. Not everything could be compared." in output


def test_if_all_that_could_be_compared_has_come_the_rest_is_not_forgotten(shop):
    shop.fault(status=500, prefix="/v1/orders", times=5)

    output = call("run", "--store", "acme").output

    assert "Not everything could be compared; nothing was missing in what could." in output


def test_the_json_says_which_lists_were_read(shop):
    shop.fault(status=500, prefix="/v1/orders", times=5)

    rows = json.loads(call("run", "--store", "acme", "--json").stdout)["collections"]

    read = [row["collection"] for row in rows if row["read"]]
    assert read == list(COLLECTIONS)[: list(COLLECTIONS).index("orders")]


def test_the_report_shows_the_share_that_never_arrived(shop, installed):
    here = installed.process
    today = here.now() // DAY
    with writing(here.engine) as conn:
        store = find_store(conn, "acme")
        states = [RECEIVED, RECEIVED, RECEIVED, MISSED]
        save_observations(
            conn, store.id, [Observation(f"k{n}", "order_new", today, one) for n, one in enumerate(states)], 1
        )
        save_observations(conn, store.id, [Observation("old", "order_new", today - 9, MISSED)], 1)

    [row] = json.loads(call("report", "--days", "7", "--json").stdout)

    assert (row["event"], row["expected"], row["missed"], row["rate"]) == ("order_new", 4, 1, 0.25)


def test_recovering_can_be_made_to_record_only_and_back(shop, installed):
    def recorded_only():
        with reading(installed.process.engine) as conn:
            return find_store(conn, "acme").record_only_since is not None

    seen = []
    for mode in ("record", "forward"):
        call("mode", "--store", "acme", mode)
        seen.append(recorded_only())

    assert seen == [True, False]


@pytest.mark.parametrize("command", [["run"], ["mode", "record"], ["report"]])
def test_an_unknown_store_is_reported_in_a_sentence(installed, command):
    result = call(*command, "--store", "unknown")

    assert (result.exit_code, "no store unknown" in result.output) == (1, True)
