"""Untrusted text is shown literally: neither as markup nor as control sequences of the terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.table import Table

from pipeline.ledger.schema import core
from receiver.cli.output import SafeConsole, format_json, styled
from tests.installation import make_hook

BRACKETS = ["[/nope]", "[red]y[/red]", "[bold", ":smile:", "[link=https://example.com]x[/link]"]
ORDERS = {
    "escape": "\x1b[2J",
    "bell": "\a",
    "back": "\b",
    "one byte": "\x9b2J",
    "backwards": "\u202e",
    "half": "\ud800",
}


@pytest.fixture(autouse=True)
def connection(installed):
    return installed.connect({})


def printed(shown):
    out = io.StringIO()
    SafeConsole(file=out, width=80, force_terminal=True, color_system="truecolor").print(shown)
    return out.getvalue()


def a_customer(name):
    buyer = {"id": 7001, "email": "bea.buyer@example.com", "first_name": name, "type": "customer"}
    return make_hook(json.dumps({"id": 1, "customer": buyer, "total": 3495, "type": "order"}).encode())


@pytest.mark.parametrize("name", BRACKETS)
def test_a_name_in_square_brackets_is_shown_as_it_is(shell, installed, name):
    installed.record(a_customer(name))

    assert f" {name} " in shell.said("people", "show", "7001").replace("\n", " ")


@pytest.mark.parametrize("why", BRACKETS)
def test_a_platforms_words_in_square_brackets_are_shown_as_they_are(shell, installed, why):
    with installed.process.engine.begin() as conn:
        conn.execute(core.StoreConnection.__table__.update().values(status="paused", status_reason=why))

    assert f"nothing reaches Customer.io ({why})" in shell.said("status")


@pytest.mark.parametrize("name", ["\x1b[2Jcleared", "\a", "\x9b2J", "\u202eesrever"])
def test_a_name_cannot_give_a_terminal_orders(shell, installed, name):
    """Names are saved without such characters, but older ones may have them."""
    installed.record(a_customer("Bea"))
    with installed.process.engine.begin() as conn:
        conn.execute(core.Person.__table__.update().values(attributes={"first_name": name}))

    assert name not in shell.said("people", "show", "7001") + shell.said("people", "show", "7001", "--json")
    assert [one["attributes"]["first_name"] for one in shell.json("people", "show", "7001")] == [name]


def test_a_dead_hooks_bytes_cannot_give_a_terminal_orders(shell, installed):
    installed.record(make_hook(b"{\x1b]0;owned\x07 :smile: [bold]x[/bold]\r\n"))

    assert r"{\x1b]0;owned\x07 :smile: [bold]x[/bold]\r" in shell.said("dead", "show", "hook:1")


def test_an_event_cannot_give_a_terminal_orders(shell, installed):
    installed.record(a_customer("\x9b2J"))

    assert "\x9b" not in shell.said("events", "show", "1")


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("wrapped", [str, Table, lambda text: styled(text, "red")], ids=["line", "cell", "style"])
def test_no_order_reaches_a_terminal(wrapped, order):
    assert order not in printed(wrapped(f"a{order}b"))


@pytest.mark.parametrize("text", ["Zoë 👩‍👩‍👧 ߷", "two\nlines"])
def test_what_is_only_text_stays(text):
    assert text in printed(text)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_document_means_the_same_without_orders(order):
    assert order not in format_json({"name": order})
    assert json.loads(format_json({"name": order})) == {"name": order}
