"""A ledger that was restored from an older copy sends no box a second time."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.exports import export_boxes
from pipeline.fulfilment.set_up import resume, save_settings_form
from pipeline.fulfilment.settings_json import BadSettings, show_form
from pipeline.fulfilment.stored_settings import load_settings
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.warehouses import get_warehouse, update_warehouse
from pipeline.ledger.schema.fulfilment import (
    FulfilmentEvent,
    FulfilmentExport,
    FulfilmentOrder,
    FulfilmentOrderLink,
    FulfilmentRun,
)

OFF = {"lookup_before_create": "off"}


def restore(bridge) -> None:
    """Put back a copy of the ledger of before the first box."""
    with writing(bridge.engine) as conn:
        for table in (FulfilmentEvent, FulfilmentOrderLink, FulfilmentOrder, FulfilmentExport, FulfilmentRun):
            conn.execute(delete(table))


def send(bridge) -> int:
    shipment = bridge.sell()
    bridge.search()
    return shipment


@pytest.mark.parametrize("adapter", ["cartrover", "extensiv_3pl", "signed_webhook"])
def test_a_box_that_was_sent_before_is_found_whatever_the_settings_say(make_bridge, adapter):
    bridge = make_bridge(adapter)
    bridge.go_live()
    with writing(bridge.engine) as conn:
        stored = get_warehouse(conn, bridge.store_id).settings
        update_warehouse(conn, bridge.store_id, settings={**stored, "lookup_before_create": False})
    bridge.control("switches", refuse_duplicates=adapter != "extensiv_3pl")
    shipment = send(bridge)

    restore(bridge)
    bridge.search()

    assert (bridge.state(shipment), len(bridge.sent(shipment))) == ("at_warehouse", 1)


def test_the_look_up_cannot_be_switched_off_where_a_number_may_be_taken_twice(make_bridge):
    bridge = make_bridge("extensiv_3pl")
    with reading(bridge.engine) as conn:
        form = show_form(load_settings(get_warehouse(conn, bridge.store_id).settings))

    with pytest.raises(Misconfigured, match="lookup_before_create must be on"):
        bridge.set(**OFF)
    with pytest.raises(BadSettings):
        save_settings_form(bridge.context, bridge.store_id, {**form, "lookup_before_create": ""})


def test_a_warehouse_that_may_take_a_number_twice_is_not_connected_without_the_look_up(make_bridge):
    with pytest.raises(Misconfigured, match="lookup_before_create must be on"):
        make_bridge("extensiv_3pl", **OFF)


def test_a_box_of_a_file_that_the_ledger_has_forgotten_is_not_handed_out_before_a_person_has_looked(make_bridge):
    bridge = make_bridge("spreadsheet")
    bridge.go_live()
    send(bridge)
    export_boxes(bridge.context, bridge.store_id)
    restore(bridge)
    bridge.search()

    with pytest.raises(Misconfigured, match="restored"):
        export_boxes(bridge.context, bridge.store_id)
    assert "restored" in bridge.is_paused()

    resume(bridge.context, bridge.store_id)
    assert export_boxes(bridge.context, bridge.store_id).boxes == 1
