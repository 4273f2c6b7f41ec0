from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fulfilment.rules.countries import ALPHA3_BY_ALPHA2, find_country, format_country
from pipeline.fulfilment.rules.order import Numbering
from tests.pipeline.fulfilment.rules.boxes import NUMBERING, address, body, build, hold


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"to": ""}, ("name",)),
        ({"to": " ", "company": None}, ("name",)),
        ({"street": None}, ("street",)),
        ({"city": ""}, ("city",)),
        ({"state": ""}, ("state",)),
        ({"zip_code": ""}, ("zip_code",)),
        ({"zip_code": "7500"}, ("zip_code",)),
        ({"zip_code": "7500l"}, ("zip_code",)),
        ({"country": ""}, ("country",)),
        ({"country": "Atlantis"}, ("country",)),
        ({"country": "CA", "zip_code": "75001"}, ("zip_code",)),
        ({"country": "DE", "zip_code": ""}, ("zip_code",)),
        ({"street": "", "city": "", "country": "IE"}, ("street", "city")),
    ],
)
def test_an_address_that_cannot_be_shipped_to_is_held_with_its_fields(changes, fields):
    held = hold(body(ship_address=address(**changes)))

    assert (held.reason, held.fields) == ("invalid_address", fields)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "", "company": "Example Ltd"},
        {"zip_code": "75001-1234"},
        {"zip_code": "750011234"},
        {"country": "CA", "state": "ON", "zip_code": "K1A 0B1"},
        {"country": "CA", "state": "ON", "zip_code": "k1a0b1"},
        {"country": "IE", "state": "", "zip_code": ""},
        {"country": "HK", "state": "", "zip_code": ""},
        {"country": "DE", "state": "", "zip_code": "10115"},
        {"unit": None},
    ],
)
def test_an_address_needs_no_more_than_its_country_does(changes):
    assert build(body(ship_address=address(**changes)))


def test_the_parts_of_an_address_are_on_one_line_each():
    made = build(body(ship_address=address(street=" 1 Test\n Street ", unit="Unit  2"))).ship_to

    assert (made.address1, made.address2) == ("1 Test Street", "Unit 2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"),
        ("us", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States", "US"),
        ("united  states of america", "US"),
        ("UK", "GB"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        ("XK", "XK"),
        ("ZZ", None),
        ("", None),
    ],
)
def test_a_country_is_found_by_its_codes_and_its_name(text, code):
    assert find_country(text) == code


def test_every_country_has_two_codes_of_its_own():
    assert len(ALPHA3_BY_ALPHA2) == 250
    assert len(set(ALPHA3_BY_ALPHA2.values())) == 250
    assert {(len(two), len(three)) for two, three in ALPHA3_BY_ALPHA2.items()} == {(2, 3)}
    assert all(find_country(three) == two for two, three in ALPHA3_BY_ALPHA2.items())


@pytest.mark.parametrize(("two", "three"), [("US", "USA"), ("DE", "DEU"), ("RO", "ROU"), ("CD", "COD"), ("CH", "CHE")])
def test_a_country_is_written_as_the_warehouse_wants_it(two, three):
    assert (format_country(two, "alpha2"), format_country(two, "alpha3")) == (two, three)


def test_the_form_of_the_country_does_not_change_the_fingerprint():
    in_two = build(body())
    in_three = build(body(), numbering=replace(NUMBERING, country_format="alpha3"))

    assert (in_two.ship_to.country, in_three.ship_to.country) == ("US", "USA")
    assert in_two.fingerprint == in_three.fingerprint


@pytest.mark.parametrize(
    "changes", [{"unit": "Unit 3"}, {"to": "Another"}, {"zip_code": "75002"}, {"phone_number": "1"}]
)
def test_another_address_is_another_fingerprint(changes):
    assert build(body(ship_address=address(**changes))).fingerprint != build(body()).fingerprint


def test_the_fingerprint_of_a_box_never_changes():
    """Fingerprints are stored, and warehouses keep them."""
    made = build(body(ship_address=address(to="Zoë")))

    assert made.fingerprint == "44f3c36bc118e00aec6d5bbd1386225139070490d18cb96bf6bc9a5692c3d750"


def test_the_fingerprint_of_a_box_is_the_same_under_another_number():
    resent = build(body(), numbering=Numbering("SUB-90000001-R1", "subscription"))

    assert resent.fingerprint == build(body()).fingerprint
