"""The batch that links exchange: workers of two releases read each other's."""

from __future__ import annotations

from pipeline.core.errors import BadHook
from pipeline.core.hooks import build_failed_hook, get_envelope
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from tests.pipeline.processing.entries import clock, entry

ENVELOPE = ["entry_id", "receipt", "store", "version", "event", "received_at", "source"]


def test_the_links_write_the_keys_that_earlier_releases_read():
    decoded = decode_batch([entry()], 7, clock)
    valid = validate_batch(decoded, clock)

    assert list(decoded["hooks"][0]) == [*ENVELOPE, "form", "fingerprint", "decoded_at", "body"]
    assert list(valid["hooks"][0]) == [
        *ENVELOPE,
        *("form", "fingerprint", "decoded_at", "validated_at", "data", "unknown", "aside"),
    ]


def test_a_failed_hook_has_the_envelope_its_stage_and_its_reason():
    (hook,) = decode_batch([entry()], 7, clock)["hooks"]

    failed = build_failed_hook(hook, "validate", BadHook("invalid", {"errors": {}}))

    assert failed == {**get_envelope(hook), "stage": "validate", "reason": "invalid", "detail": {"errors": {}}}
    assert list(failed) == [*ENVELOPE, "stage", "reason", "detail"]


def test_an_envelope_holds_nothing_of_the_body():
    (hook,) = decode_batch([entry()], 7, clock)["hooks"]

    assert list(get_envelope(hook)) == ENVELOPE
