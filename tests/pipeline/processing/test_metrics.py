"""Hooks are counted by event and outcome, and no name that a sender chose becomes a label."""

from __future__ import annotations

import pytest

from pipeline.infra.metrics import REGISTRY
from pipeline.processing.decode import decode_batch
from pipeline.processing.metrics import count_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from tests.pipeline.processing.entries import ORDER, clock, entry
from tests.pipeline.recording.conftest import HookRecorder


def counted(figure):
    (family,) = [family for family in REGISTRY.collect() if family.name == figure]
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


@pytest.fixture
def count(engine):
    """Process these entries through the whole chain. Returns by how much a metric has grown."""
    HookRecorder(engine)

    def grown(figure, *entries):
        before = counted(figure)
        batch = validate_batch(decode_batch(entries, 1, clock), clock)
        raws = {stored.entry_id: (stored.raw, stored.query) for stored in entries}
        count_batch(batch, record(engine, batch, raws, clock), clock())
        return {
            labels: value - before.get(labels, 0)
            for labels, value in counted(figure).items()
            if value != before.get(labels, 0)
        }

    return grown


@pytest.mark.parametrize(
    ("made", "series"),
    [
        (entry(), ("order_new", "forwarded")),
        (entry(b"{", event="shipment_shipped"), ("shipment_shipped", "dead")),  # at decode
        (entry({"id": "x"}), ("order_new", "dead")),  # at validate
        (entry(store="nobodys"), ("order_new", "dead")),  # at fan_out
        (entry(event="my_secret"), ("other", "unknown_event")),
        (entry(b"{", event="my_secret"), ("other", "dead")),
    ],
)
def test_a_hook_counts_under_its_event_and_outcome(count, made, series):
    assert count("cratewire_recorded_hooks", made) == {series: 1}


def test_a_repeat_counts_as_a_duplicate(count):
    twice = [entry(ORDER, number) for number in (1, 2)]

    assert count("cratewire_recorded_hooks", *twice) == {("order_new", "forwarded"): 1, ("order_new", "duplicate"): 1}


def test_a_dead_hook_counts_under_its_link_and_reason(count):
    assert count("cratewire_dead_hooks", entry(b"{")) == {("decode", "not_json"): 1}
