from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fulfilment.setting_fields import BY_KEY, FIELDS
from pipeline.fulfilment.setting_kinds import Choice, Number, Switch
from pipeline.fulfilment.settings import FulfilmentSettings, ShipCode, Wave
from pipeline.fulfilment.settings_json import (
    BadSettings,
    change_settings,
    read_form,
    read_settings,
    show_form,
    write_settings,
)

EARLIEST = 1_767_225_600_000_000  # 2026-01-01
FULL = FulfilmentSettings(
    earliest_order_at=EARLIEST + 3_600_000_000,
    pull_adhoc=False,
    future_days=0,
    sku_suffix="yymm",
    sku_aliases={"BOX": "W-BOX", "Ö": "W = 2"},
    item_filter="allow",
    item_filter_skus=("BOX", "MUG"),
    ship_code_map={"SUBSCRIPTION": ShipCode("Priority", "USPS"), "ORDER": ShipCode("STD")},
    cooling_off_renewal_s=5400,
    confirm_at_minute=870,
    time_zone="America/Chicago",
    waves=(Wave("Gifts", gift=True), Wave("Large", None, ("US", "CA"), ("Size: Large", "XL")), Wave("Own", gift=False)),
)


def test_every_setting_has_its_field():
    assert {field.name for field in fields(FulfilmentSettings)} == set(BY_KEY)


@pytest.mark.parametrize("made", [FulfilmentSettings(EARLIEST), FULL])
def test_what_is_written_as_json_is_read_back(made):
    assert read_settings(json.loads(json.dumps(write_settings(made)))) == made


@pytest.mark.parametrize("made", [FulfilmentSettings(EARLIEST), FULL])
def test_what_a_form_shows_is_read_back(made):
    assert read_form(show_form(made)) == made


_VALUES = {
    Switch: lambda _: st.booleans(),
    Number: lambda kind: st.integers(kind.minimum, kind.maximum),
    Choice: lambda kind: st.sampled_from([word for word, _ in kind.choices]),
}


@settings(max_examples=40)
@given(data=st.data())
def test_any_settings_come_back_from_json_and_from_a_form(data):
    drawn = {
        field.key: data.draw(_VALUES[type(field.kind)](field.kind)) for field in FIELDS if type(field.kind) in _VALUES
    }
    made = FulfilmentSettings(EARLIEST, **drawn)
    made = replace(made, item_filter="none", pull_ecommerce=True)

    assert read_settings(write_settings(made)) == made
    assert read_form(show_form(made)) == made


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("earliest_order_at", "soon", "must be a day such as 2026-01-31"),
        ("earliest_order_at", "1926-01-01", "must be a day such as 2026-01-31"),
        ("earliest_order_at", None, "must be a day such as 2026-01-31"),
        ("pull_adhoc", "yes", "must be true or false"),
        ("future_days", -1, "must be a whole number from 0 to 90"),
        ("future_days", True, "must be a whole number from 0 to 90"),
        ("future_days", 1.0, "must be a whole number from 0 to 90"),
        ("sku_suffix", "month", "must be one of none, yymm, year_week, cycle"),
        ("sku_suffix", ["yymm"], "must be one of none, yymm, year_week, cycle"),
        ("sku_aliases", ["BOX"], "must be an object with at most 10000 entries"),
        ("sku_aliases", {"BOX": ""}, "must have a text of 1 to 200 characters as a value"),
        ("sku_aliases", {"BOX": 1}, "must have a text of 1 to 200 characters as a value"),
        ("sku_aliases", {"B=X": "X"}, "must have no = in a key"),
        ("ship_code_map", {"ORDER": "A / B"}, "must have no / in code"),
        ("waves", [{"name": "A", "variants": ["L; XL"]}], "must have no ; in a variant"),
        ("item_filter_skus", "BOX", "must be a list of at most 10000 texts"),
        ("item_filter_skus", ["BOX", " "], "must have a text of 1 to 200 characters as entry 2"),
        ("ship_code_map", {"ORDER": 1}, "must have a code, or an object with code and carrier, for each ship code"),
        ("ship_code_map", {"ORDER": {"carrier": "USPS"}}, "must have a text of 1 to 200 characters as code"),
        ("cooling_off_signup_s", -1, "must be a whole number of seconds from 0 to 2592000"),
        ("confirm_at_minute", "24:00", "must be a time of day such as 14:30, or empty"),
        ("confirm_at_minute", 870, "must be a time of day such as 14:30, or empty"),
        ("time_zone", "Chicago", "must be the name of a time zone such as America/Chicago"),
        ("time_zone", "America", "must be the name of a time zone such as America/Chicago"),
        ("time_zone", 5, "must be the name of a time zone such as America/Chicago"),
        ("time_zone", "../etc/passwd", "must be the name of a time zone such as America/Chicago"),
        ("waves", {}, "must be a list of at most 50 waves"),
        ("waves", [{"name": "A"}], "must say for each wave what belongs to it: gifts, countries or variants"),
        ("waves", [{"name": "A", "gift": []}], "must say true, false or null for gift"),
        ("waves", [{"name": "A", "countries": ["USA"]}], "must name countries by two letters, such as US"),
        ("waves", [{"name": "A", "gift": True}] * 2, "must have waves with different names"),
        ("waves", [{"gift": True}], "must have a text of 1 to 200 characters as name"),
        ("future_day", 3, "is no setting; is future_days meant?"),
        ("zzz", 3, "is no setting"),
    ],
)
def test_a_wrong_setting_gets_a_clear_error(key, value, message):
    with pytest.raises(BadSettings) as caught:
        read_settings({"earliest_order_at": "2026-01-01", key: value})

    assert caught.value.errors == {key: message}


def test_every_error_is_named_at_once():
    with pytest.raises(BadSettings, match=r"^earliest_order_at is missing; future_days must .*; time_zone must "):
        read_settings({"future_days": "7", "time_zone": ""})


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"item_filter": "allow"}, "item_filter_skus"),
        ({"pull_ecommerce": False, "pull_adhoc": False, "pull_standard": False}, "pull_ecommerce"),
    ],
)
def test_settings_that_send_nothing_are_refused(changes, key):
    with pytest.raises(BadSettings) as caught:
        read_settings({"earliest_order_at": "2026-01-01"} | changes)

    assert list(caught.value.errors) == [key]


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("earliest_order_at", "", "must be a day such as 2026-01-31"),
        ("future_days", "seven", "must be a whole number from 0 to 90"),
        ("cooling_off_signup_s", "2 h", "must be a number of hours from 0 to 720"),
        ("cooling_off_signup_s", "721", "must be a number of hours from 0 to 720"),
        ("sku_aliases", "A = B\nC", "must have a name, = and a value on line 2"),
        ("sku_aliases", "A = B\nA = C", "must have each name once: line 2 repeats one"),
    ],
)
def test_a_wrong_text_in_the_form_gets_a_clear_error(key, text, message):
    with pytest.raises(BadSettings) as caught:
        read_form(show_form(FulfilmentSettings(EARLIEST)) | {key: text})

    assert caught.value.errors == {key: message}


def test_hours_with_a_comma_are_read():
    read = read_form(show_form(FulfilmentSettings(EARLIEST)) | {"cooling_off_signup_s": "1,5"})

    assert read.cooling_off_signup_s == 5400


def test_a_form_field_has_what_a_page_draws():
    assert BY_KEY["future_days"].bounds == (0, 90)
    assert BY_KEY["confirm_after_s"].bounds == (0, 240)
    assert BY_KEY["time_zone"].bounds is None
    assert BY_KEY["multi_tracking"].choices == (("primary", "The first"), ("joined", "All, with commas"))
    assert {field.kind.widget for field in FIELDS} == {
        "checkbox",
        "date",
        "number",
        "select",
        "text",
        "textarea",
        "time",
    }


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        ({"future_days": "3"}, {"future_days": 3}),
        ({"pull_adhoc": "no"}, {"pull_adhoc": False}),
        ({"sku_suffix": ""}, {"sku_suffix": "none"}),
        ({"cooling_off_signup_s": "1.5"}, {"cooling_off_signup_s": 5400}),
        ({"item_filter_skus": "A, B"}, {"item_filter_skus": ("A", "B")}),
        ({"item_filter_skus": '["A,B"]'}, {"item_filter_skus": ("A,B",)}),
        ({"sku_aliases": "A = X, B=Y"}, {"sku_aliases": {"A": "X", "B": "Y"}}),
        ({"ship_code_map": '{"ORDER": "STD"}'}, {"ship_code_map": {"ORDER": ShipCode("STD")}}),
    ],
)
def test_what_is_typed_changes_a_setting_and_leaves_the_others(typed, changed):
    stored = write_settings(FulfilmentSettings(EARLIEST, sku_suffix="cycle", no_tracking_days=9))

    made = read_settings(change_settings(stored, typed))

    assert made == replace(read_settings(stored), **changed)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("pull_adhoc", "maybe", "must be yes or no"),
        ("sku_aliases", "{A", "must be JSON if it begins with a bracket or a brace"),
        ("future", "3", "is no setting; is future_days meant?"),
        ("earliest_order_at", "", "is missing"),
    ],
)
def test_what_is_typed_wrongly_gets_a_clear_error(key, text, message):
    with pytest.raises(BadSettings) as caught:
        change_settings(write_settings(FulfilmentSettings(EARLIEST)), {key: text})

    assert caught.value.errors == {key: message}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("future_days", 0),
        ("future_days", 90),
        ("cooling_off_signup_s", 720 * 3600),
        ("earliest_order_at", "2010-01-01"),
        ("earliest_order_at", "2100-12-31"),
        ("earliest_order_at", "2026-01-01T00:00:01Z"),
        ("earliest_order_at", "2026-01-01T00:01:00Z"),
        ("confirm_at_minute", "00:59"),
        ("confirm_at_minute", "23:59"),
        ("sku_aliases", {"A" * 200: "B" * 200}),
        ("waves", [{"name": str(number), "gift": True, "countries": [], "variants": []} for number in range(50)]),
        ("item_filter_skus", [str(number) for number in range(10_000)]),
    ],
)
def test_the_last_value_that_is_allowed_is_taken_and_shown(key, value):
    made = read_settings({"earliest_order_at": "2026-01-01", key: value})

    assert write_settings(made)[key] == value
    assert read_form(show_form(made)) == made


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("earliest_order_at", "2009-12-31"),
        ("earliest_order_at", "2101-01-01"),
        ("sku_aliases", {"A" * 201: "B"}),
        ("ship_code_map", {"A=B": "C"}),
        ("waves", ["Gifts"]),
        ("waves", [{"name": "A", "gift": True, "size": "L"}]),
        ("waves", [{"name": "A=B", "gift": True}]),
        ("waves", [{"name": str(number), "gift": True} for number in range(51)]),
        ("item_filter_skus", [str(number) for number in range(10_001)]),
    ],
)
def test_one_more_is_refused(key, value):
    with pytest.raises(BadSettings) as caught:
        read_settings({"earliest_order_at": "2026-01-01", key: value})

    assert list(caught.value.errors) == [key]


@pytest.mark.parametrize(
    ("text", "is_on"),
    [("on", True), ("1", True), ("", False), ("off", False), ("false", False), ("no", False), ("0", False)],
)
def test_a_switch_of_a_form_is_off_if_it_is_absent_or_says_so(text, is_on):
    assert read_form(show_form(FulfilmentSettings(EARLIEST)) | {"pull_adhoc": text}).pull_adhoc is is_on


def test_the_most_hours_are_taken():
    read = read_form(show_form(FulfilmentSettings(EARLIEST)) | {"cooling_off_signup_s": "720"})

    assert (read.cooling_off_signup_s, show_form(read)["cooling_off_signup_s"]) == (720 * 3600, "720")
