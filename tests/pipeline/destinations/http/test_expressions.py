from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.bounds import Sizes, measure
from pipeline.destinations.http.cel import MAX_COST_BYTES, CannotEvaluate, Expression, compile_expression

DATA: dict[str, Any] = {
    "person": {"email": "robin@example.com", "customer_id": 7001},
    "properties": {"total": 3950, "items": [{"name": "Tea", "price": 900}, {"name": "Mug", "price": 300}], "note": ""},
}


PARTS = (
    *(
        "person",
        "properties",
        "properties.items",
        "properties.?coupon",
        "person.email",
        "properties.total",
        "null",
        "true",
    ),
    *("1", "1u", "1.5", "'x'", "b'y'", "[]", "{}", "optional.none()", "optional.of(1)", "type(person)", "timestamp(0)"),
    *("duration('1s')", "int", "-1", "1e308"),
)
FORMS = (
    *("({} + {})", "({} == {})", "({} in {})", "({} ? {} : {})", "[{}, {}]", "{{{}: {}}}", "{}[{}]", "{}[?{}]"),
    *("{}.map(i, i)", "{}.map(i, {})", "{}.filter(i, {})", "{}.all(i, i == {})", "size({})", "string({})", "int({})"),
    *(
        "{}.orValue({})",
        "{}.join({})",
        "{}.split({})",
        "{}.replace({}, {})",
        "{}.matches({})",
        "{}.k",
        "{}.?k",
        "has({}.k)",
    ),
    *(
        "-({})",
        "!({})",
        "({} < {})",
        "[?{}]",
        "{{?'a': {}}}",
        "optional.of({})",
        "{}.value()",
        "{}.optMap(i, i)",
        "dyn({})",
    ),
)


def compile_(text: str) -> Expression:
    return compile_expression(text, ("person", "properties", "values", "text"))


def evaluate(text: str, data: dict[str, Any] = DATA) -> list[Any]:
    return compile_(text).evaluate(data)


def find_cost(text: str, data: dict[str, Any]) -> int:
    return compile_(text).find_cost(measure(len(json.dumps(data)), data))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'cratejoy'", "cratejoy"),
        ("person.email", "robin@example.com"),
        ("double(properties.total) / 100.0", 39.5),
        ("properties.items.map(i, i.name + ' ' + string(i.price))", ["Tea 900", "Mug 300"]),
        ("properties.items.filter(i, i.price > 500).size()", 1),
        ("{'n': properties.items[0].name, 'x': null}", {"n": "Tea", "x": None}),
        ("has(properties.coupon) ? properties.coupon : 'none'", "none"),
        ("properties.?coupon.orValue('none')", "none"),
        ("properties.items.exists(i, i.name.matches('^T'))", True),
        ("{1: 'a'}", {"1": "a"}),
        ("['a', 'b'].join('-') + 'A-B'.lowerAscii().replace('-', '')", "a-bab"),
    ],
)
def test_a_value_is_as_json_has_it(text, value):
    assert evaluate(text) == [value]


def test_an_optional_value_that_is_not_there_leaves_its_place_out():
    assert evaluate("properties.?coupon") == []
    assert evaluate("properties.?total") == [3950]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("persn.email", "undeclared reference to 'persn.email', at character 6"),
        ("1 + 'a'", "no matching overload"),
        ("person.email.foo()", "undeclared reference to 'foo'"),
        ("1 +", "Syntax error"),
        ("1)+(2", "Syntax error"),
        ("", "Syntax error"),
        ("'%s'.format([1])", "the function format is not available"),
        ("a" * 2_001, "at most 2000 characters"),
        ("[" * 200 + "]" * 200, "recursion"),
        ("+".join(["1"] * 400), "recursion"),
        ("'\\ud800'", "Unicode"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_place(text, fault):
    with pytest.raises(Misconfigured, match=fault):
        compile_(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("properties.coupon", 'Key not found in map : "coupon"'),
        ("person.email + 1", "No matching overloads"),
        ("properties.items[7]", "Index error"),
        ("1 / 0", "divide by zero"),
        ("int(person.email)", "cannot convert string to int"),
        ("9223372036854775807 + properties.total", "integer overflow"),
        ("timestamp('2026-03-02T16:46:40Z')", "a type that JSON lacks"),
        ("text", "found in Activation"),
    ],
)
def test_what_has_no_value_for_a_message_says_why(text, fault):
    with pytest.raises(CannotEvaluate, match=fault):
        evaluate(text)


@pytest.mark.parametrize("text", ["properties[person.email]", "person.email.matches(person.email + '(')"])
def test_a_fault_names_no_value_of_the_data(text):
    with pytest.raises(CannotEvaluate) as caught:
        evaluate(text)

    assert "@" not in str(caught.value)


def test_an_optional_value_within_a_value_is_refused():
    for text in ("[properties.?coupon]", "optional.of(optional.none())", "dyn(optional.none())"):
        with pytest.raises(CannotEvaluate, match="a type that JSON lacks"):
            evaluate(text)


def test_null_is_converted_without_taking_a_reference_of_it():
    """The library gives a reference to None away with each null; some hundred thousand would end the process."""
    expression, data = compile_("[null, properties.x]"), {"properties": {"x": None}}
    before = sys.getrefcount(None)
    for _ in range(10_000):
        expression.evaluate(data)

    assert sys.getrefcount(None) > before - 5_000


def test_whatever_is_put_together_has_a_value_or_is_refused():
    """And ends no process, which the library can (0.1.3)."""
    rng = random.Random(1)

    def make(depth: int) -> str:
        if depth == 0 or rng.random() < 0.2:
            return rng.choice(PARTS)
        form = rng.choice(FORMS)
        return form.format(*(make(depth - 1) for _ in range(form.count("{}"))))

    for _ in range(1_500):
        try:
            json.dumps(evaluate(make(3)))
        except (Misconfigured, CannotEvaluate):
            continue


def test_too_many_steps_end_an_evaluation():
    with pytest.raises(CannotEvaluate, match="Iteration budget exceeded"):
        evaluate("values.all(x, values.all(y, values.all(z, x + y + z >= 0)))", {"values": list(range(100))})


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("values.map(x, text)" + ".map(y, y + y)" * 12, {"values": [1] * 10, "text": "x" * 10_000}),
        ("values.map(x, x)", {"values": [1] * 3_000}),
        ("values.map(x, values.map(y, text))", {"values": [1] * 90, "text": "x" * 10_000}),
        ("values.all(x, values.all(y, text.matches('(a+)+$')))", {"values": [1] * 90, "text": "a" * 10_000}),
        ("text.replace('a', text + text)", {"text": "a" * 10_000}),
        ("text.split('').join(text)", {"text": "a" * 10_000}),
        ("text.split('').map(x, x)", {"text": "a" * 5_000}),
        ("text.contains(text + 'a')", {"text": "a" * 150_000}),
    ],
)
def test_what_means_harm_is_known_before_it_is_evaluated(text, data):
    assert find_cost(text, data) > MAX_COST_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "values.map(i, i.name + ' x ' + string(i.quantity))",
        "values.filter(i, i.price > 500).map(i, {'n': i.name, 'p': i.price})",
        "values.map(i, i.name).join(', ')",
        "values.exists(i, i.name.matches('^T')) ? text.split(' ')[0] : text.replace(' ', '-')",
    ],
)
def test_a_long_order_costs_a_fraction_of_what_is_allowed(text):
    data = {"values": [{"name": "Tea from Assam", "quantity": 2, "price": 900}] * 50, "text": "Robin Muster"}

    assert find_cost(text, data) < MAX_COST_BYTES / 50


@pytest.mark.parametrize(
    "text", ["values.map(x, text)", "text.split('').join(text)", "values.map(x, text + text).map(x, x + x)"]
)
def test_no_value_is_larger_than_the_bound(text):
    data = {"values": list(range(40)), "text": "x" * 1_000}

    assert len(json.dumps(evaluate(text, data))) <= 3 * find_cost(text, data)


def test_more_data_never_costs_less():
    text = "values.map(i, i.name + text).join(text)"

    assert compile_(text).find_cost(Sizes(1_000, 10)) <= compile_(text).find_cost(Sizes(2_000, 20))
