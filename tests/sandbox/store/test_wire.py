"""The forms of a body, and the dress of what is in it."""

import ast
import json
import random

import pytest

from sandbox.store.telling import wire
from sandbox.store.telling.variants import integer_status

BODY = {"name": 'Zoë "Z" 🌸\n', "id": 7093400011, "last_name": None, "type": "customer"}


def test_form_a_is_a_json_string_whose_content_is_json():
    assert json.loads(json.loads(wire.FORMS["A"](BODY))) == BODY


def test_form_b_is_the_object():
    assert json.loads(wire.FORMS["B"](BODY)) == BODY


def test_form_c_is_form_a_without_its_quotes():
    assert b'"' + wire.FORMS["C"](BODY) + b'"' == wire.FORMS["A"](BODY)


def test_form_d_is_a_python_literal():
    assert ast.literal_eval(wire.FORMS["D"](BODY).decode()) == BODY


def test_form_a_escapes_twice():
    assert rb"Zo\\u00eb \\\"Z\\\"" in wire.FORMS["A"](BODY)


@pytest.mark.parametrize("seed", range(20))
def test_a_broken_body_is_no_json(seed):
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        json.loads(wire.broken(BODY, random.Random(seed)))


def test_a_status_becomes_the_number_of_its_own_type():
    body = {"type": "subscription", "status": "active", "orders": [{"type": "order", "status": "closed"}]}
    assert integer_status(body) == {"type": "subscription", "status": 2, "orders": [{"type": "order", "status": 2}]}


def test_a_fulfillments_status_has_no_number():
    assert integer_status({"type": "fulfillment", "status": "closed"})["status"] == "closed"
