"""The event table: what each of Cratejoy's events is about."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import (
    API_OBJECTS,
    EVENTS,
    EventRow,
    get_event_row,
    is_known_event,
    strict_paths,
    strict_paths_for_model,
)


def test_every_event_of_cratejoy_has_a_row_and_fourteen_are_forwarded():
    recorded_only = {"design_updated", "inventory_updated", "shipment_address_updated"}

    assert len(EVENTS) == 17
    assert {name for name, row in EVENTS.items() if not row.forwarded} == recorded_only


def test_every_row_that_is_not_windowed_has_a_natural_key():
    assert all(row.identity for row in EVENTS.values() if not row.is_windowed)


def test_every_row_describes_its_event_in_one_sentence():
    assert all(row.description.count(".") == 1 and row.description.endswith(".") for row in EVENTS.values())


def test_an_unknown_event_is_recorded_whole_and_forwarded_to_no_platform():
    assert get_event_row("box_opened") == EventRow(
        *("box_opened", "any", None, "An event this version does not know."),
        is_windowed=True,
        buyer=(),
        forwarded=False,
    )


@pytest.mark.parametrize(("name", "is_known"), [("order_new", True), ("order_listed", False), ("", False)])
def test_only_the_events_of_cratejoys_hook_page_are_known(name, is_known):
    assert is_known_event(name) is is_known


@pytest.mark.parametrize(
    ("row", "paths"),
    [
        (EVENTS["customer_new"], {"id"}),
        (EVENTS["subscription_renewed"], {"id", "end_date", "customer"}),
        (EVENTS["transaction_new"], {"transaction.id", "order.customer", "customer"}),
        (EVENTS["checkout_failed"], {"order.id", "customer", "order.customer"}),
        (EVENTS["design_updated"], set()),
        (API_OBJECTS["orders"], {"id", "customer"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_strict_paths_identify_an_event_its_subject_and_its_buyer(row, paths):
    assert strict_paths(row) == paths


@pytest.mark.parametrize(
    ("model", "paths"), [("subscription", {"id", "end_date"}), ("order", {"id"}), ("survey", None)]
)
def test_the_strict_paths_of_a_model_identify_all_events_about_it(model, paths):
    assert strict_paths_for_model(model) == paths
