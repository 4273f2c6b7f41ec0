"""`cratewire hooks`, and a `cratewire connect` that registers them, against a sandbox store and a Customer.io."""

from __future__ import annotations

import json
import re

import click
import fakeredis
import pytest
from click.testing import CliRunner
from sqlalchemy import update

from pipeline.cratejoy.factory import build_client
from pipeline.events.catalogue import EVENTS
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.sources import SourceSample
from pipeline.ledger.store_apis import find_store_api
from receiver.cli import main
from receiver.cli.connect import ask_origins
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.pipeline.sandbox_store import AMPLE_PER_S, StoreControl

ENDED = {"ended_at": 1}
COMMAND = "`cratewire backfill"
CUSTOMERS = [
    ({"state": "running"}, f"Its customers are being read: {COMMAND} watch --store acme`."),
    ({"state": "done", **ENDED}, f"Its customers have been read: {COMMAND} start --store acme` reads them again."),
    (
        {"state": "done", "error": "orders: it ran in circles", **ENDED},
        "Its customers: not all of them could be read (orders: it ran in circles).",
    ),
    (
        {"state": "paused", "paused_at": 1},
        f"Its customers: reading them is paused; {COMMAND} resume --store acme` resumes it.",
    ),
    (
        {"state": "cancelled", **ENDED},
        f"Reading its customers was cancelled: {COMMAND} start --store acme` reads them.",
    ),
]
FOREIGN = "https://other.example.com/hooks/in?key=s3cret"


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setenv("CRATEWIRE_CRATEJOY_RATE", "1000")
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        yield StoreControl(running)


@pytest.fixture
def typed(track, shop):
    where = ("--base-url", track.url, "--region", "us", "--site-id", track.site_id, "--api-key", track.api_key)
    store = ("--client-id", "id", "--client-secret", "secret", "--cratejoy-url", f"{shop.running.url}/v1/")
    return ("connect", "--store", "acme", "--platform", "customerio", *where, *store)


@pytest.fixture
def connected(shell, typed):
    return shell.json(*typed)


def api(shop):
    return build_client(shop.credentials(), fakeredis.FakeRedis(), http=HTTPClient(), per_second=AMPLE_PER_S)


def registered(shop):
    """(event, target) of every hook of the store, by event."""
    return sorted((one["event"], one["target"]) for one in api(shop).page("hooks").results)


def hooks(shell, name, *more):
    return shell.json("hooks", name, "--store", "acme", *more)


def test_connecting_with_cratejoys_keys_registers_every_hook(connected, shop):
    assert connected["registered"] is True
    assert registered(shop) == sorted(connected["hooks"].items())


def test_a_human_reads_that_the_hooks_are_registered_and_no_secret(shell, typed):
    text = shell.said(*typed)

    assert f"All {len(EVENTS)} hooks are registered" in text
    assert "/hooks/acme/" not in text


@pytest.fixture
def sold(shop):
    """The shop has sold something, and says that each order has source 1."""
    shop.people(5)


def test_connecting_shows_the_origins_of_the_last_orders_and_how_to_answer(typed, installed, sold):
    result = CliRunner().invoke(main, typed, catch_exceptions=False)

    assert re.search(r"source 1: \d+ orders?, \d+ subscriptions?; for example order \d+ of \d{4}-", result.stderr)
    assert "cratewire stores set acme --marketplace-source" in result.stderr


def test_the_origins_may_be_answered_with_the_command(shell, typed, installed, sold):
    shell.said(*typed, "--storefront-source", "1")
    (store,) = installed.rows(core.Store)

    assert (store.marketplace_sources, store.storefront_sources) == ([], ["1"])


def test_who_types_is_asked_about_each_origin():
    samples = [SourceSample(value, 1, 0, []) for value in ("1", "2", "3")]

    @click.command()
    def ask():
        click.echo(ask_origins(samples, [], [], "acme", asks=True))

    assert CliRunner().invoke(ask, input="s\nm\n\n").stdout == "(['2'], ['1'])\n"


@pytest.mark.parametrize(("changed", "says"), CUSTOMERS)
def test_connecting_again_says_how_the_stores_customers_stand(shell, typed, connected, installed, changed, says):
    with installed.process.engine.begin() as conn:
        conn.execute(update(Backfill).values(changed))

    assert shell.said(*typed).splitlines()[-1] == says


def test_connecting_again_without_the_keys_keeps_them(shell, typed, connected, shop):
    again = shell.json(*typed[: typed.index("--client-id")], "--currency", "EUR")

    assert again["registered"] is True
    assert len(registered(shop)) == len(EVENTS)


def test_wrong_cratejoy_keys_are_refused_before_anything_is_saved(shell, typed, installed, track):
    place = typed.index("secret")
    complaint = shell.complaint(*typed[:place], "wrong-secret", *typed[place + 1 :])

    assert "Cratejoy refused the Client ID and Secret" in complaint
    assert "wrong-secret" not in complaint
    assert installed.rows(core.Store) == []
    assert track.calls == []


def test_keys_the_platform_refuses_leave_nothing_at_cratejoy(shell, typed, installed, track, shop):
    place = typed.index(track.api_key)
    shell.complaint(*typed[:place], "wrong-api-key", *typed[place + 1 :])

    assert installed.rows(core.Store) == []
    assert registered(shop) == []


def test_half_a_pair_of_keys_is_refused(shell, typed):
    assert "--client-secret is missing" in shell.complaint(*typed[: typed.index("--client-secret")])


def test_a_store_that_fails_after_the_check_is_connected_all_the_same(shell, typed, shop):
    shop.people(0)
    shop.fault(rate=0.5, retry_after=100_000, prefix="/v1/hooks")
    document = shell.json(*typed)

    assert document["registered"] is False


def test_the_list_shows_ours_and_others_without_their_secrets(shell, connected, shop):
    api(shop).create("hooks", {"name": "x", "event": "order_new", "target": FOREIGN, "request_type": "POST"})
    found = hooks(shell, "list")

    assert sorted(one["state"] for one in found) == ["foreign", *["ok"] * len(EVENTS)]
    assert "s3cret" not in json.dumps(found)
    assert connected["hooks"]["order_new"] not in json.dumps(found)


@pytest.mark.parametrize("command", ["audit", "sync"])
def test_a_store_that_has_us_wait_is_not_called_a_small_budget(shell, connected, shop, command):
    shop.fault(status=429, retry_after=7000)

    complaint = shell.complaint("hooks", command, "--store", "acme")

    assert "the store has asked us to wait, for another " in complaint


def test_an_audit_that_could_not_be_had_promises_nothing(shell, connected, shop):
    shop.fault(status=429, retry_after=7000)

    assert "nothing was checked" in shell.complaint("hooks", "audit", "--store", "acme")


def test_a_store_without_hooks_is_reported_in_a_sentence(shell, connected):
    shell.said("hooks", "remove", "--store", "acme")

    assert shell.said("hooks", "list", "--store", "acme") == "Cratejoy has no hooks of this store.\n"


def test_an_audit_reports_and_repairs_nothing(shell, connected, shop):
    api(shop).delete("hooks", hooks(shell, "list")[0]["id"])
    (found,) = [one for one in hooks(shell, "audit") if one["mended_at"] is None]

    assert (found["kind"], found["remedy"]) == ("missing", "create")
    assert len(registered(shop)) == len(EVENTS) - 1


def test_sync_repairs(shell, connected, shop):
    gone = hooks(shell, "list")[0]
    api(shop).delete("hooks", gone["id"])
    found = hooks(shell, "sync")

    assert [(one["kind"], one["event"]) for one in found] == [("missing", gone["event"])]
    assert registered(shop) == sorted(connected["hooks"].items())


def test_an_audit_of_a_healthy_store_is_one_line(shell, connected):
    assert shell.said("hooks", "audit", "--store", "acme") == "All 17 hooks are registered and enabled.\n"


def test_recent_repairs_are_listed_if_asked_for(shell, connected):
    assert "no hook is registered for this event" in shell.said("hooks", "audit", "--store", "acme", "--mended")


def test_an_audit_of_a_store_whose_hooks_were_removed_says_how_to_bring_them_back(shell, connected):
    shell.said("hooks", "remove", "--store", "acme")

    assert shell.said("hooks", "audit", "--store", "acme") == "Removed: `sync` registers them again.\n"


def test_sync_says_that_all_is_well(shell, connected):
    assert "All hooks are registered correctly" in shell.said("hooks", "sync", "--store", "acme")


def test_humans_read_what_was_wrong(shell, connected, shop):
    api(shop).delete("hooks", hooks(shell, "list")[0]["id"])
    missing = shell.said("hooks", "list", "--store", "acme")
    mended = shell.said("hooks", "sync", "--store", "acme")

    assert "no hook is registered for this event" in missing
    assert "no hook is registered for this event" in mended


def test_rotating_gives_cratejoy_new_urls_and_lets_the_old_ones_live_a_day(shell, connected, shop, installed):
    hooks(shell, "rotate")
    (store,) = installed.rows(core.Store)

    assert not {target for _, target in registered(shop)} & set(connected["hooks"].values())
    assert len(registered(shop)) == len(EVENTS)
    assert 86_300_000_000 < store.old_token_until - installed.process.now() <= 86_400_000_000


def test_urls_that_leaked_end_at_once(shell, connected, installed):
    hooks(shell, "rotate", "--now")
    (store,) = installed.rows(core.Store)

    assert (store.token_version, store.old_token_until) == (2, None)


def test_removing_leaves_other_hooks_and_deletes_the_keys_if_asked(shell, connected, shop, installed):
    api(shop).create("hooks", {"name": "x", "event": "order_new", "target": FOREIGN, "request_type": "POST"})
    hooks(shell, "remove", "--forget-keys")

    assert registered(shop) == [("order_new", FOREIGN)]
    with reading(installed.process.engine) as conn:
        assert find_store_api(conn, 1) is None


def test_removed_hooks_come_back_with_sync(shell, connected, shop):
    hooks(shell, "remove")
    removed = registered(shop)
    hooks(shell, "sync")

    assert (removed, registered(shop)) == ([], sorted(connected["hooks"].items()))


@pytest.mark.parametrize("name", ["list", "audit", "sync", "rotate", "remove"])
def test_an_unknown_store_is_reported(shell, name, installed):
    assert "no store acme" in shell.complaint("hooks", name, "--store", "acme")


@pytest.mark.parametrize("name", ["list", "audit", "sync", "rotate", "remove"])
def test_a_store_connected_without_cratejoys_keys_is_said(shell, typed, name):
    shell.json(*typed[: typed.index("--client-id")])

    assert "without Cratejoy's Client ID and Secret" in shell.complaint("hooks", name, "--store", "acme")


def test_the_status_says_when_all_is_well_by_saying_nothing(shell, connected, shop):
    api(shop).create("hooks", {"name": "x", "event": "order_new", "target": FOREIGN, "request_type": "POST"})
    hooks(shell, "sync")

    assert [one["faults"] for one in shell.json("status")["registrations"]] == [0]
    assert "hooks at Cratejoy" not in shell.said("status")


def test_the_status_says_when_a_hook_is_missing(shell, connected, shop):
    api(shop).delete("hooks", hooks(shell, "list")[0]["id"])
    hooks(shell, "audit")

    assert "acme's hooks at Cratejoy: 1 to repair; see `cratewire hooks audit --store acme`" in shell.said("status")


def test_the_status_says_when_cratejoy_refuses_the_keys(shell, connected, shop):
    shop.fault(auth="revoked")
    shell.complaint("hooks", "sync", "--store", "acme")

    assert shell.said("status").startswith("1 thing needs you: acme: Cratejoy refuses the keys\n")


def test_the_status_says_when_an_audit_failed(shell, connected, shop):
    shop.fault(status=502)
    shell.complaint("hooks", "sync", "--store", "acme")

    assert "the last audit failed (GET hooks: answered 502)" in shell.said("status")
