"""Every sample hook, in every wire form, means the same, and what it has meant since it was reviewed."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from pipeline.events.catalogue import EVENTS
from tests.pipeline.decode.wire_forms import FORMS, form_a
from tests.pipeline.golden.plans import PLACE, plan_hook, summary
from tests.schemas.samples import NAMES, sample

GOLDEN = json.loads(PLACE.read_text("utf-8"))
WIRES = {
    **{form: lambda body, write=write: (write(body), None) for form, write in FORMS.items()},
    "A in three layers": lambda body: (form_a(body, layers=3), None),
    "B with a byte order mark": lambda body: (b"\xef\xbb\xbf" + FORMS["B"](body), None),
    "a query": lambda body: (b"", urlencode({"payload": json.dumps(body)})),
}


def event_of(name):
    return name.partition("__")[0]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", NAMES)
def test_a_hook_means_the_same_in_every_form(name, wire):
    body = sample(name)

    assert plan_hook(event_of(name), *WIRES[wire](body)) == plan_hook(event_of(name), FORMS["B"](body))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_keys_means_nothing(name):
    backwards = json.dumps(dict(reversed(sample(name).items()))).encode()

    assert plan_hook(event_of(name), backwards) == plan_hook(event_of(name), FORMS["B"](sample(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_hook_means_what_it_has_always_meant(name):
    """If this is wanted: `python -m tests.pipeline.golden.plans`, and read the difference."""
    assert summary(name) == GOLDEN[name]


def test_every_sample_has_been_reviewed():
    assert GOLDEN.keys() == set(NAMES)


def test_every_event_has_a_sample():
    assert {event_of(name) for name in NAMES} == EVENTS.keys()
