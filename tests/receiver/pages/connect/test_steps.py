"""Each step of the connect form is checked alone, by a script or by a button, and an error is at its field."""

from __future__ import annotations

import re

import pytest

from pipeline.ledger.backfills import find_last_backfill
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import find_store
from tests.pipeline.sandbox_store import StoreControl
from tests.receiver.pages.connect.forms import NO_ROWS, counts, errors_on, send

CUSTOMERS = 3
OTHERS = ("email", "password", "reads_customers")  # of later steps: not filled in yet


@pytest.fixture
def people(cratejoy):
    StoreControl(cratejoy).people(CUSTOMERS)
    yield
    StoreControl(cratejoy).control("reset", {"seed": 7})


def check(pages, filled_in, step, **changes):
    """Check a step as a browser without scripts does."""
    visitor = pages.visitor()
    form = {name: value for name, value in filled_in.items() if name not in OTHERS}
    send(visitor, form | {"check": step} | changes)
    return visitor


def said_of(visitor, step):
    found = re.search(rf'<div id="{step}-checked".*?</div>', visitor.page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_cratejoys_keys_say_which_shop_they_lead_to(pages, filled_in, people):
    visitor = check(pages, filled_in, "cratejoy")

    assert "This is the shop that sells" in said_of(visitor, "cratejoy")
    assert f"It has {CUSTOMERS} customers." in said_of(visitor, "cratejoy")
    assert f"Before we read {CUSTOMERS} customers" in visitor.text
    assert (errors_on(visitor.page), visitor.status, counts(pages)) == ({}, 200, NO_ROWS)


def test_the_platforms_keys_say_which_region_they_lead_to(pages, filled_in):
    visitor = check(pages, filled_in, "platform")

    assert f"in the {filled_in['customerio-region'].upper()}." in said_of(visitor, "platform")
    assert "customerio-region" not in visitor.page


@pytest.mark.parametrize(
    "wrong",
    [
        ("shop", "store", "Not A Name", "lower-case letters"),
        ("shop", "currency", "euro", "Three letters"),
        ("cratejoy", "client_id", "", "beside the Client Secret"),
        ("cratejoy", "client_secret", "wrong", "Cratejoy refused this pair"),
        ("cratejoy", "cratejoy_url", "{url}", "(404). It ends in /v1/"),
        ("platform", "customerio-api_key", "wrong", "refused these keys"),
        ("platform", "customerio-site_id", "", "Site ID is missing"),
        ("platform", "customerio-base_url", "http://127.0.0.1:1", "does not answer"),
        ("account", "email", "nina", "not a mail address"),
        ("account", "password", "short", "at least 10 characters"),
    ],
)
def test_an_error_is_at_the_field_that_caused_it_and_at_no_other(pages, filled_in, cratejoy, wrong):
    step, field, value, says = wrong
    account = {name: filled_in[name] for name in ("email", "password")} if step == "account" else {}
    visitor = check(pages, filled_in, step, **account | {field: value.format(url=f"{cratejoy.url}/")})

    assert list(errors_on(visitor.page)) == [field]
    assert says in errors_on(visitor.page)[field]
    assert said_of(visitor, step) == ""


def test_a_script_gets_what_it_puts_in_place_and_no_page(pages, filled_in):
    visitor = pages.visitor()
    visitor.go("/connect")
    form = {name: value for name, value in filled_in.items() if name not in OTHERS} | {"client_secret": "wrong"}
    answer = visitor.send_only("/connect", headers={"HX-Request": "true"}, **form, check="cratejoy")

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert re.search(r'id="client_secret-said"[^>]*hx-swap-oob="true"', answer.text)
    assert "Cratejoy refused this pair" in answer.text


def test_secrets_that_were_typed_need_not_be_typed_again_after_a_check(pages, filled_in):
    visitor = check(pages, filled_in, "cratejoy")
    secrets = ("client_secret", "check")
    visitor.send(**{name: value for name, value in filled_in.items() if name not in secrets})

    assert visitor.where == "/connected"


def test_when_the_customers_are_read_has_to_be_chosen(pages, filled_in):
    page = send(pages.visitor(), {name: value for name, value in filled_in.items() if name != "reads_customers"})

    assert errors_on(page) == {"reads_customers": "Please choose one."}


@pytest.mark.parametrize(("chosen", "state"), [("now", "running"), ("later", "paused")])
def test_customers_are_read_at_once_or_when_the_merchant_resumes_it(pages, filled_in, chosen, state):
    send(pages.visitor(), filled_in | {"reads_customers": chosen})

    with reading(pages.site.engine) as conn:
        assert find_last_backfill(conn, find_store(conn, "acme").id).state == state


def test_a_shop_whose_customers_were_read_is_not_asked_again(pages, filled_in):
    visitor = pages.visitor()
    send(visitor, filled_in)
    visitor.press(pages.mail()[0].links[0])

    assert "When shall" not in visitor.go("/connect?store=acme")
    assert "reads_customers" not in visitor.page


def test_the_step_of_a_new_account_is_not_asked_of_a_user(pages):
    pages.member("bea@example.com")
    visitor = pages.logged_in("bea@example.com")
    visitor.go("/connect")
    visitor.send("/connect", check="account")

    assert visitor.status == 200
