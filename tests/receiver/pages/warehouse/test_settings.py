"""The form of the settings: drawn from what each setting declares, saved whole or not at all."""

from __future__ import annotations

import pytest

from pipeline.fulfilment.setting_fields import FIELDS
from pipeline.fulfilment.settings_json import show_form
from pipeline.fulfilment.stored_settings import load_settings
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import get_warehouse
from tests.receiver.pages.warehouse.conftest import READERS, WAREHOUSE

SETTINGS = f"{WAREHOUSE}/settings"


def stored(pages, store_id):
    with reading(pages.site.engine) as conn:
        return get_warehouse(conn, store_id).settings


def filled_in(pages, store_id, **changed):
    texts = show_form(load_settings(stored(pages, store_id))) | changed
    return {key: text for key, text in texts.items() if text}


def test_every_setting_is_in_the_form(connected):
    page = connected.go(SETTINGS)

    assert [one.key for one in FIELDS if f'name="{one.key}"' not in page] == []


def test_a_form_that_is_sent_as_it_is_changes_nothing(pages, store_id, connected):
    before = stored(pages, store_id)
    connected.go(SETTINGS)
    connected.send(**filled_in(pages, store_id))

    assert "Nothing was changed." in connected.text
    assert stored(pages, store_id) == before


def test_a_switch_that_is_left_out_is_off_and_lines_are_entries(pages, store_id, connected):
    connected.go(SETTINGS)
    connected.send(**filled_in(pages, store_id, pull_ecommerce="", waves="Gifts = gift\nNorth = to CA US"))
    after = load_settings(stored(pages, store_id))

    assert "judged anew" in connected.text
    assert (after.pull_ecommerce, [wave.name for wave in after.waves]) == (False, ["Gifts", "North"])


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("future_days", "soon", "Days ahead must be a whole number from 0 to 90."),
        ("time_zone", "Atlantis", "Time zone of the store must be the name of a time zone such as America/Chicago."),
        ("item_filter", "allow", "SKUs of the item filter must name a SKU, since only these are sent."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(pages, store_id, connected, key, text, said):
    before = stored(pages, store_id)
    connected.go(SETTINGS)
    connected.send(**filled_in(pages, store_id, **{key: text}))

    assert (connected.status, said in connected.text) == (422, True)
    assert f'value="{text}"' in connected.page
    assert stored(pages, store_id) == before


def test_a_reader_sees_the_settings_and_cannot_change_them(pages, store_id, connected):
    reader = pages.logged_in(READERS)
    page = reader.go(SETTINGS)
    reader.send(SETTINGS, future_days="3")

    assert ("<button>Save" in page, reader.status) == (False, 403)


def test_without_a_warehouse_there_are_no_settings(visitor):
    visitor.go(SETTINGS)

    assert visitor.where == WAREHOUSE
