"""The forms of a body, and the dress of what is in it."""

import ast
import json
import random

import pytest

from sandbox.store.webhooks import wire_forms
from sandbox.store.webhooks.body_variants import use_integer_statuses

BODY = {"name": 'Zoë "Z" 🌸\n', "id": 7093400011, "last_name": None, "type": "customer"}


def test_form_a_is_a_json_string_whose_content_is_json():
    assert json.loads(json.loads(wire_forms.FORMS["A"](BODY))) == BODY


def test_form_b_is_the_object():
    assert json.loads(wire_forms.FORMS["B"](BODY)) == BODY


def test_form_c_is_form_a_without_its_quotes():
    assert b'"' + wire_forms.FORMS["C"](BODY) + b'"' == wire_forms.FORMS["A"](BODY)


def test_form_d_is_a_python_literal():
    assert ast.literal_eval(wire_forms.FORMS["D"](BODY).decode()) == BODY


def test_form_a_escapes_twice():
    assert rb"Zo\\u00eb \\\"Z\\\"" in wire_forms.FORMS["A"](BODY)


@pytest.mark.parametrize("seed", range(20))
def test_a_broken_body_is_no_json(seed):
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        json.loads(wire_forms.damage_body(BODY, random.Random(seed)))


def test_a_status_becomes_the_number_of_its_own_type():
    body = {"type": "subscription", "status": "active", "orders": [{"type": "order", "status": "closed"}]}
    assert use_integer_statuses(body) == {
        "type": "subscription",
        "status": 2,
        "orders": [{"type": "order", "status": 2}],
    }


def test_a_fulfillments_status_has_no_number():
    assert use_integer_statuses({"type": "fulfillment", "status": "closed"})["status"] == "closed"
