from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.fulfilment import Package
from pipeline.fulfilment.rules.confirm import Put, find_confirm_time, name_carrier, plan_confirm, plan_update
from pipeline.fulfilment.rules.decision.words import Seen
from tests.pipeline.fulfilment.rules.boxes import NOW, SETTINGS, at, body, read

LEFT_AT = at("2026-01-31T15:30:00")
ONE = Package("t 1", "usps", "Priority", "https://track.example.com/T1", LEFT_AT)
TWO = Package("T2", "UPS", shipped_at=LEFT_AT + 1)


def shipment(status="unshipped", tracking_number=None):
    return read(body(status=status, tracking_number=tracking_number))


def test_a_box_that_left_is_marked_as_shipped_with_its_tracking():
    assert plan_confirm(shipment(), [ONE], SETTINGS, NOW) == Put(
        {
            "status": "shipped",
            "shipped_at": "2026-01-31T15:30:00Z",
            "tracking_number": "T1",
            "carrier_name": "USPS",
            "tracking_link": "https://track.example.com/T1",
        }
    )


def test_what_is_empty_is_left_out():
    put = plan_confirm(shipment(), [Package("T2", url="javascript:alert(1)")], SETTINGS, NOW)

    assert put == Put({"status": "shipped", "shipped_at": "2026-02-01T12:00:00Z", "tracking_number": "T2"})


@pytest.mark.parametrize("url", ["http://track.example.com/T2", "https://track.example.com/T2"])
def test_an_address_of_the_web_is_a_link(url):
    put = plan_confirm(shipment(), [Package("T2", url=url)], SETTINGS, NOW)

    assert isinstance(put, Put)
    assert put.properties["tracking_link"] == url


def test_a_parcel_of_tomorrow_left_now():
    put = plan_confirm(shipment(), [replace(ONE, shipped_at=NOW + 10**12)], SETTINGS, NOW)

    assert isinstance(put, Put)
    assert put.properties["shipped_at"] == "2026-02-01T12:00:00Z"


@pytest.mark.parametrize(("setting", "number"), [("primary", "T1"), ("joined", "T1, T2")])
def test_several_parcels_have_one_number_or_all(setting, number):
    put = plan_confirm(shipment(), [TWO, ONE], replace(SETTINGS, multi_tracking=setting), NOW)

    assert isinstance(put, Put)
    assert put.properties["tracking_number"] == number


@pytest.mark.parametrize(
    ("status", "theirs", "is_decided", "planned"),
    [
        ("cancelled", None, False, Seen.CANCELLED),
        ("shipped", "T1", False, Seen.SHIPPED_AS_OURS),
        ("shipped", "t 1, t2", False, Seen.SHIPPED_AS_OURS),
        ("shipped", "T9", False, Seen.OTHER_TRACKING),
        ("lost", None, False, Seen.CONFIRM_REJECTED),
    ],
)
def test_nothing_is_written_to_a_shipment_that_needs_it_not(status, theirs, is_decided, planned):
    assert plan_confirm(shipment(status, theirs), [ONE], SETTINGS, NOW, is_decided=is_decided) is planned


@pytest.mark.parametrize(("theirs", "is_decided"), [(None, False), ("T9", True)])
def test_a_shipped_box_gets_its_number_and_no_second_mark(theirs, is_decided):
    put = plan_confirm(shipment("shipped", theirs), [ONE], SETTINGS, NOW, is_decided=is_decided)

    assert isinstance(put, Put)
    assert put.properties["tracking_number"] == "T1"
    assert "status" not in put.properties


def test_a_person_may_have_the_tracking_of_a_cancelled_box_written():
    put = plan_confirm(shipment("cancelled"), [ONE], SETTINGS, NOW, is_decided=True)

    assert isinstance(put, Put)
    assert put.properties["status"] == "shipped"


def test_without_tracking_a_box_is_marked_only_if_the_settings_say_so():
    assert plan_confirm(shipment(), [], SETTINGS, NOW) is Seen.CONFIRM_LATER
    assert plan_confirm(shipment(), [], replace(SETTINGS, confirm_without_tracking=True), NOW) == Put(
        {"status": "shipped", "shipped_at": "2026-02-01T12:00:00Z"}
    )


def test_a_box_marked_without_tracking_is_not_marked_again():
    settings = replace(SETTINGS, confirm_without_tracking=True)

    assert plan_confirm(shipment("shipped"), [], settings, NOW) is Seen.SHIPPED_AS_OURS


def test_optional_properties_may_be_left_out_once():
    put = Put({"status": "shipped", "tracking_number": "T1", "carrier_name": "USPS"})

    assert put.without_optional() == Put({"status": "shipped", "tracking_number": "T1"})
    assert Put({"status": "shipped"}).without_optional() is None


def test_a_further_parcel_is_written_only_if_it_changes_the_number():
    joined = replace(SETTINGS, multi_tracking="joined")

    assert plan_update(shipment("shipped", "T1"), [ONE, TWO], SETTINGS) is None
    assert plan_update(shipment("unshipped"), [ONE, TWO], joined) is None
    put = plan_update(shipment("shipped", "T1"), [ONE, TWO], joined)
    assert put is not None
    assert put.properties["tracking_number"] == "T1, T2"
    assert "status" not in put.properties


@pytest.mark.parametrize(("code", "name"), [(" fedex ", "FedEx"), ("Local  Post", "Local Post"), ("", "")])
def test_carriers_have_the_names_that_customers_know(code, name):
    assert name_carrier(code) == name


@pytest.mark.parametrize(
    ("shipped", "after_s", "minute", "zone", "confirmed"),
    [
        ("2026-02-01T15:00:00", 0, None, "UTC", "2026-02-01T15:00:00"),
        ("2026-02-01T15:00:00", 7200, None, "UTC", "2026-02-01T17:00:00"),
        ("2026-02-01T15:00:00", 0, 16 * 60, "UTC", "2026-02-01T16:00:00"),
        ("2026-02-01T16:00:00", 0, 16 * 60, "UTC", "2026-02-01T16:00:00"),
        ("2026-02-01T16:00:01", 0, 16 * 60, "UTC", "2026-02-02T16:00:00"),
        ("2026-02-01T15:00:00", 7200, 16 * 60, "UTC", "2026-02-02T16:00:00"),
        ("2026-02-01T04:00:00", 0, 21 * 60, "America/Chicago", "2026-02-02T03:00:00"),
        # The night in which the clocks go forward has no 2:30, and that in which they go back has it twice.
        ("2026-03-08T07:00:00", 0, 150, "America/Chicago", "2026-03-08T08:30:00"),
        ("2026-11-01T06:00:00", 0, 90, "America/Chicago", "2026-11-01T06:30:00"),
        ("2026-11-01T07:00:00", 0, 90, "America/Chicago", "2026-11-02T07:30:00"),
    ],
)
def test_customers_are_notified_some_hours_later_or_at_a_time_of_day(shipped, after_s, minute, zone, confirmed):
    settings = replace(SETTINGS, confirm_after_s=after_s, confirm_at_minute=minute, time_zone=zone)

    assert find_confirm_time(at(shipped), settings) == at(confirmed)
