"""The question of the connect form: what the values of `source` in the last orders mean."""

from __future__ import annotations

import re

import pytest

from pipeline.ledger.engine import reading
from pipeline.ledger.sources import list_samples
from pipeline.ledger.stores import find_store
from tests.pipeline.sandbox_store import StoreControl
from tests.receiver.pages.connect.forms import NO_ROWS, counts, send

CUSTOMERS = 12


@pytest.fixture
def sold(cratejoy):
    """A sandbox store that has sold something in its own shop (source 1) and on the Marketplace (source 2)."""
    StoreControl(cratejoy).people(CUSTOMERS)
    for order in list(cratejoy.world.state.rows("orders"))[::2]:
        order["source"] = 2
    yield
    StoreControl(cratejoy).control("reset", {"seed": 7})


@pytest.fixture
def asked(pages, filled_in, sold):
    """A visitor to whom the form has shown its question."""
    visitor = pages.visitor()
    send(visitor, filled_in)
    return visitor


def store_of(pages):
    with reading(pages.site.engine) as conn:
        return find_store(conn, "acme")


def again(visitor, filled_in, **answers):
    """Send the form again, without its secrets, as a browser does."""
    secrets = ("client_secret", "customerio-api_key", "password")
    visitor.send(**{name: value for name, value in filled_in.items() if name not in secrets}, **answers)


def test_the_question_shows_each_value_and_nothing_is_saved_yet(pages, asked):
    assert asked.status == 200
    assert counts(pages) == NO_ROWS
    assert set(re.findall(r"source (\d)", asked.text)) == {"1", "2"}
    assert re.search(r"For example order \d+ of \d{4}-\d\d-\d\d", asked.text)


def test_no_personal_data_is_in_what_the_form_carries(cratejoy, asked):
    emails = [row["email"] for row in cratejoy.world.state.rows("customers")]

    assert not any(email in asked.page for email in emails)


def test_answers_are_saved_with_the_store(pages, asked, filled_in):
    again(asked, filled_in, **{"origin-0": "storefront", "origin-1": "marketplace"})
    store = store_of(pages)

    assert (store.marketplace_sources, store.storefront_sources) == (("2",), ("1",))


def test_the_question_can_be_left_open(pages, asked, filled_in):
    again(asked, filled_in)
    store = store_of(pages)

    assert (store.marketplace_sources, store.storefront_sources) == (None, None)
    with reading(pages.site.engine) as conn:
        assert [sample.value for sample in list_samples(conn, store.id)] == ["1", "2"]


def test_a_store_without_orders_is_connected_at_once(pages, filled_in):
    send(pages.visitor(), filled_in)

    assert store_of(pages) is not None


def test_orders_that_cannot_be_read_do_not_keep_a_store_from_being_connected(pages, filled_in, cratejoy, sold):
    StoreControl(cratejoy).fault(status=500, prefix="/v1/orders")
    send(pages.visitor(), filled_in)

    assert store_of(pages) is not None
