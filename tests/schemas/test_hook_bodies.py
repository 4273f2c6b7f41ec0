"""Hooks whose body wraps two models, whichever stands inside the other."""

import pytest

from schemas import load
from tests.schemas.samples import sample


def test_a_transaction_with_its_order_inside_and_one_beside_it_load_alike():
    nested = load("transaction_hook", sample("transaction_new__nested")).data
    beside = load("transaction_hook", sample("transaction_new__side_by_side")).data

    assert nested["transaction"] == beside["transaction"] | {"url": "/v1/transactions/7118352641/"}
    assert (nested["order"]["id"], beside["order"]["id"]) == (7118352615, 7118352615)


def test_an_order_inside_a_wrapped_transaction_moves_beside_it():
    body = {"transaction": {"id": 1, "order": {"id": 2}}}

    assert load("transaction_hook", body).data == {"transaction": {"id": 1}, "order": {"id": 2}}


def test_an_order_beside_the_transaction_stays_and_so_does_the_one_inside():
    body = {"transaction": {"id": 1, "order": {"id": 2}}, "order": {"id": 3}}

    assert load("transaction_hook", body).data == body


def test_a_transaction_without_an_order_has_none():
    assert load("transaction_hook", {"id": 1}).data == {"transaction": {"id": 1}}


def test_a_transaction_that_is_null_stays_null():
    assert load("transaction_hook", {"transaction": None}).data == {"transaction": None}


@pytest.mark.parametrize("name", ["checkout_failed__wrapped", "checkout_failed__order_with_customer"])
def test_a_failed_checkout_gives_customer_and_order(name):
    data = load("checkout_hook", sample(name)).data

    assert sorted(data) == ["customer", "order"]
    assert (data["customer"]["email"], data["order"]["total"]) == ("maren.quill@example.org", 2990)


def test_the_customer_inside_a_wrapped_order_moves_beside_it():
    body = {"order": {"id": 2, "customer": {"id": 1}}, "customer": None}

    assert load("checkout_hook", body).data == {"order": {"id": 2}, "customer": {"id": 1}}


def test_a_failed_checkout_may_have_a_customer_only():
    assert load("checkout_hook", {"customer": {"id": 1}}).data == {"customer": {"id": 1}}


@pytest.mark.parametrize("name", ["inventory_updated__wrapped", "inventory_updated__bare"])
def test_inventory_is_found_wrapped_and_bare(name):
    assert load("inventory_hook", sample(name)).data["inventory"]["quantity_on_hand"] == 41


def test_a_product_inside_the_inventory_moves_beside_it():
    body = {"id": 1, "product": {"id": 2}}

    assert load("inventory_hook", body).data == {"inventory": {"id": 1}, "product": {"id": 2}}


def test_a_changed_theme_names_the_file():
    data = load("design_hook", sample("design_updated__file")).data

    assert data == {"theme_name": "lantern", "file_changed": "html/box.html"}


@pytest.mark.parametrize("name", ["transaction_hook", "checkout_hook", "inventory_hook", "design_hook"])
def test_an_empty_body_loads_empty(name):
    assert load(name, {}).data == {}
