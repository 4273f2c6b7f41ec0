from __future__ import annotations

import json

import pytest

from pipeline.processing.decode import decode_batch
from pipeline.processing.release import RELEASE
from pipeline.processing.validate import validate_batch
from tests.pipeline.processing.entries import ORDER, clock, entry


def validated(*entries):
    return validate_batch(decode_batch(entries, 7, clock), clock)


def test_a_body_becomes_validated_data():
    (hook,) = validated(entry({**ORDER, "placed_at": "2026-03-02 17:04:31"}))["hooks"]

    assert hook["data"]["placed_at"] == "2026-03-02T17:04:31Z"
    assert "body" not in hook


def test_a_key_that_no_schema_names_is_listed_and_harmless():
    (hook,) = validated(entry({**ORDER, "zodiac": "leo", "aura": {"colour": 1}}))["hooks"]

    assert hook["unknown"] == sorted(hook["unknown"])
    assert {"zodiac", "aura"} <= {path.split(".")[0] for path in hook["unknown"]}


def test_an_unknown_event_passes_as_it_is():
    (hook,) = validated(entry({"anything": [1]}, event="box_exploded"))["hooks"]

    assert hook["data"] == {"anything": [1]}


def test_an_invalid_hook_fails_with_the_paths_but_not_the_values():
    found = validated(entry(number=1), entry({**ORDER, "id": "marian@example.com"}, number=2))

    assert [hook["receipt"] for hook in found["hooks"]] == ["r1"]
    (failed,) = found["failed"]
    assert (failed["receipt"], failed["stage"], failed["reason"]) == ("r2", "validate", "invalid")
    assert "id" in failed["detail"]["errors"]
    assert "marian" not in str(failed)


def test_hooks_that_failed_before_stay_failed():
    assert [hook["stage"] for hook in validated(entry(b"{"))["failed"]] == ["decode"]


def test_an_internal_error_costs_one_hook():
    batch = decode_batch([entry(number=1), entry(number=2)], 7, clock)
    del batch["hooks"][0]["form"]

    found = validate_batch(batch, clock)

    assert [hook["receipt"] for hook in found["hooks"]] == ["r2"]
    (died,) = found["failed"]
    assert (died["reason"], died["detail"]) == ("internal_error", {"error": "KeyError", "release": RELEASE})


@pytest.mark.parametrize("batch", [validated(entry()), decode_batch([entry()], 7, clock)])
def test_a_batch_travels_as_json(batch):
    assert json.loads(json.dumps(batch)) == batch
