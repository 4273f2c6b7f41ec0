"""A batch that stays in its process is what it would be after its way through the broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from tasks.worker.codec import decode_payload, encode_payload
from tests.pipeline.decode.wire_forms import FORMS
from tests.pipeline.processing.entries import clock, entry

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "hooks").glob("*.json"))
ODD = (
    b"{'id': 7, 'numbers': (1, 2.5, 10L, -0.0, 1e300), 'none': None, 'deep': [[{}]]}",
    b'{"id": 18446744073709551616, "half": "\\ud83d", "\\u0000": "\\u0000", "nothing": null}',
    b'{"id": 7, "total": 1e400}',
    b"id=7&a=1&a=2&b[c]=3",
    b"",
    b"[1, 2]",
)


def as_it_travels(batch):
    return decode_payload(encode_payload(batch))


def entries():
    for fixture in FIXTURES:
        event, body = fixture.name.split("__")[0], json.loads(fixture.read_text())
        for write in FORMS.values():
            yield write(body), event
    for raw in ODD:
        yield raw, "order_new"


@pytest.mark.parametrize("link", ["decode", "validate"])
def test_a_batch_changes_nothing_on_its_way_through_the_broker(link):
    batch = decode_batch([entry(raw, number, event=event) for number, (raw, event) in enumerate(entries())], 7, clock)
    if link == "validate":
        batch = validate_batch(batch, clock)

    assert len(batch["hooks"]) > 2 * len(FIXTURES)
    assert repr(as_it_travels(batch)) == repr(batch)
