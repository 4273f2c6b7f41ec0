"""Every figure of a page is in the API and on the command line, under the same name and with the same value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.ledger.api_tokens import NewToken, create_token
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import writing
from pipeline.ledger.replays import Selection, insert_replay
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Account, Delivery
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import save_store_api
from pipeline.operations.replays.count import count_replay
from pipeline.operations.replays.steer import begin
from receiver.api.app import create_api
from receiver.cli import main
from tests.installation import Installation, make_hook, order_hook
from tests.receiver.pages.browser import PagesInstallation

PAGES = ("/", "/stores/acme", "/stores/acme/customers", "/replays", "/replays/1", "/flow?store=acme")
Figures = dict[tuple[str, str], float]  # (of, name) -> value


@pytest.fixture
def filled(installed: Installation) -> Installation:
    """A shop with orders, a repeat, an unreadable hook, a refused message, a whole reading and a running replay."""
    installed.connect({"site_id": "s", "api_key": "k"})
    context = installed.process
    hooks = [order_hook(number, received_at=context.now() - number) for number in range(7001, 7006)]
    installed.record(*hooks, order_hook(7001, received_at=context.now()), make_hook(b"{", received_at=context.now()))
    now = context.now()
    with writing(context.engine) as conn:
        save_store_api(conn, 1, b"sealed", now)
        refused = {"status": "dead", "done_at": now, "reason": "invalid"}
        conn.execute(Delivery.__table__.update().where(Delivery.id == 1).values(**refused))
        progress = {"since": 0, "mark": now, "done_at": now, "next_at": now, "visited": []}
        conn.execute(Reconciliation.__table__.insert().values(store_id=1, collection="orders", **progress))
        conn.execute(Backfill.__table__.insert().values(**whole_reading(now)))
        selection = Selection("refused")
        replay = insert_replay(conn, 1, selection, delivers_again=False, user_id=None, now=context.now())
    count_replay(context.engine, replay, context.now)
    with writing(context.engine) as conn:
        begin(conn, replay, COMMAND_LINE_ACTOR, now)
    return installed


def whole_reading(now: int) -> dict[str, Any]:
    """A reading of 412 customers that came to its end."""
    ended = {"state": "done", "phase": "others", "started_at": now - 9_000_000, "ended_at": now}
    counts = {"done": {"customers": 412}, "totals": {"customers": 412}, "pages": 5, "next_step_at": now}
    return {"store_id": 1, "kind": "all", **ended, **counts}


def read_pages(installed: Installation) -> Figures:
    """Every figure of the pages, as a reader in a browser sees it."""
    pages = PagesInstallation.of(installed.process, [installed.process.now()])
    pages.member("bea@example.com", account_id(installed))
    browser = pages.logged_in("bea@example.com")
    found: Figures = {}
    for path in PAGES:
        browser.go(path)
        assert browser.status == 200, path
        for tag in re.findall(r"<data [^>]*data-figure=[^>]*>", browser.page):
            name, of, value = (re.search(rf'{key}="([^"]*)"', tag)[1] for key in ("data-figure", "data-of", "value"))
            assert found.setdefault((of, name), float(value)) == float(value), (path, name)
    return found


def account_id(installed: Installation) -> int:
    return installed.rows(Account)[0].id


def read_api(installed: Installation) -> Figures:
    context = replace(installed.process)
    with writing(context.engine) as conn:
        new = NewToken(account_id(installed), "parity", ("read",), 1)
        keys, now = context.settings.secret_keys, context.now()
        token = create_token(conn, keys, new, context.rng, COMMAND_LINE_ACTOR, now)
    client = create_api(context).test_client()

    def get(path: str) -> Any:
        return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).get_json()

    found: Figures = {}
    for row in get("/stats")["items"]:
        found |= {(f"shop:{row['shop']}", name): value for name, value in row["figures"].items()}
    for row in get("/replays")["items"]:
        found |= {(f"replay:{row['id']}", name): value for name, value in numbers_of(row)}
    return found | name_flow(get("/flow?shop=acme")["total"])


def read_commands() -> Figures:
    def run(*typed: str) -> Any:
        result = CliRunner().invoke(main, [*typed, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    found = {("shop:acme", name): value for name, value in run("stores", "show", "acme")["figures"].items()}
    for row in run("replay", "list"):
        found |= {(f"replay:{row['id']}", name): value for name, value in numbers_of({**row, "total": total_of(row)})}
    return found | name_flow(run("flow", "show", "--store", "acme")["total"])


def name_flow(total: dict[str, int]) -> Figures:
    return {("flow:acme", name): value for name, value in total.items()}


def total_of(row: dict[str, Any]) -> int:
    return row["counts"]["messages"] + row["counts"]["hooks"]


def numbers_of(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    return ((name, value) for name, value in row.items() if isinstance(value, int | float))


def test_every_figure_of_a_page_is_in_the_api_and_on_the_command_line(filled):
    shown, api, commands = read_pages(filled), read_api(filled), read_commands()

    assert {key: (value, api.get(key)) for key, value in shown.items() if api.get(key) != value} == {}
    assert {key: (value, commands.get(key)) for key, value in shown.items() if commands.get(key) != value} == {}


def test_the_pages_have_figures_that_say_something(filled):
    found = read_pages(filled)
    shop = {name: value for (of, name), value in found.items() if of == "shop:acme"}

    assert shop["customers.read"] == 412
    assert (shop["events.today"], shop["messages.refused"], shop["hooks.unreadable"]) == (5, 1, 1)
    assert found["replay:1", "left"] == 1


def test_the_api_and_the_command_line_have_the_same_figures(filled):
    api, commands = read_api(filled), read_commands()
    shops = [{key: value for key, value in found.items() if key[0].startswith("shop:")} for found in (api, commands)]

    assert shops[0] == shops[1]
