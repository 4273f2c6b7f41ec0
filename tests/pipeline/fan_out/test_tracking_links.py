"""A link for a tracking number: from the body, or from the page of its carrier."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.fan_out.facts import tracking_url

HOSTS = {"usps": "tools.usps.com", "ups": "www.ups.com", "fedex": "www.fedex.com", "dhl": "www.dhl.com"}


@pytest.mark.parametrize("carrier", HOSTS)
def test_a_carriers_number_leads_to_its_page(carrier):
    link = urlsplit(tracking_url({"tracking_number": "9400 1/00", "carrier_name": carrier}))

    assert link.hostname == HOSTS[carrier]
    assert ["9400 1/00"] in parse_qs(link.query).values()


def test_a_link_in_the_body_is_believed():
    shipment = {"tracking_link": "https://track.example.com/1", "tracking_number": "1", "carrier_name": "ups"}

    assert tracking_url(shipment) == "https://track.example.com/1"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://x", "", None, 7, "//x"])
def test_a_link_that_is_no_web_page_is_not_passed_on(link):
    assert tracking_url({"tracking_link": link}) is None


def test_the_carrier_may_stand_on_a_label():
    labels = ["/v1/labels/1", {"carrier": "USPS", "is_void": True}, {"carrier": None}, {"carrier": " FedEx "}]

    assert HOSTS["fedex"] in tracking_url({"tracking_number": 7, "labels": labels})


@pytest.mark.parametrize(
    "shipment",
    [
        {},
        {"tracking_number": "1"},
        {"tracking_number": "1", "carrier_name": "a friend with a van"},
        {"carrier_name": "ups"},
        {"tracking_number": "1", "labels": [{"carrier": "ups", "is_void": True}]},
        {"tracking_number": "1", "labels": None},
    ],
)
def test_without_number_or_known_carrier_there_is_no_link(shipment):
    assert tracking_url(shipment) is None


def test_a_plain_link_is_believed_too():
    assert tracking_url({"tracking_link": "http://track.example.com/1"}) == "http://track.example.com/1"


def test_the_carrier_of_the_shipment_counts_before_that_of_a_label():
    labels = [{"carrier": "USPS"}]

    assert HOSTS["dhl"] in tracking_url({"tracking_number": 7, "carrier_name": "DHL", "labels": labels})


def test_a_tracking_number_is_quoted_whole():
    shown = tracking_url({"tracking_number": "a/b c", "carrier_name": "usps"})

    assert shown == "https://tools.usps.com/go/TrackConfirmAction?tLabels=a%2Fb%20c"
