"""Whatever arrives: it loads or is refused, and what was loaded is JSON and stays as it is."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import SCHEMA_NAMES, InvalidBody, load
from tests.schemas.strategies import anything, bodies

_RESOURCES = ["customer", "order", "shipment", "subscription", "product_instance", "survey"]
_HOOKS = ["transaction_hook", "checkout_hook", "inventory_hook", "design_hook"]
_unhurried = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@given(st.sampled_from(sorted(SCHEMA_NAMES)), anything)
@settings(_unhurried, max_examples=150)
def test_any_json_loads_or_is_refused(name, body):
    with suppress(InvalidBody):
        loaded = load(name, body)
        assert json.dumps([loaded.data, loaded.unknown], allow_nan=False).encode()


@pytest.mark.parametrize("name", _RESOURCES + _HOOKS)
@given(st.data())
@_unhurried
def test_a_plausible_body_loads_to_json_and_loading_it_again_changes_nothing(name, data):
    body = data.draw(bodies(name))

    loaded = load(name, body)

    assert load(name, loaded.data).data == loaded.data
    assert json.dumps([loaded.data, loaded.unknown], allow_nan=False, ensure_ascii=False).encode()


@given(anything)
@settings(_unhurried, max_examples=60)
def test_whatever_loads_loads_again_to_the_same(body):
    for name in SCHEMA_NAMES:
        try:
            data = load(name, body).data
        except InvalidBody:
            continue
        assert load(name, data).data == data
