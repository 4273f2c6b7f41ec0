"""What is persisted or public keeps its name. `python -m tests.contracts.public_names` writes additions down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contracts.public_names import PLACE, public_names

KNOWN: dict[str, Any] = json.loads(PLACE.read_text("utf-8"))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return json.loads(json.dumps(public_names()))


@pytest.mark.parametrize("area", KNOWN)
def test_what_is_persisted_or_public_is_called_as_it_was(area, found):
    assert found[area] == KNOWN[area]


def test_every_area_is_written_down(found):
    assert set(found) == set(KNOWN)
