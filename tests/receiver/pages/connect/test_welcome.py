"""The first visit: what this is and how to begin, and a demo shop where trying out is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.receiver.pages.browser import PagesInstallation


@pytest.fixture
def trying_out(house):
    """An installation with a demo store."""
    settings = replace(house.site.settings, demo_store="demo")
    opened = PagesInstallation.of(replace(house.site, settings=settings), house.clock)
    opened.store("demo", opened.member("bea@example.com"))
    return opened


def test_a_visitor_reads_what_this_is_and_what_is_needed(house):
    visitor = house.visitor()
    visitor.go("/")

    assert "Your box shop's events, in Customer.io." in visitor.text
    assert "Cratejoy's Client ID and Client Secret" in visitor.text
    assert "Customer.io's Site ID and API key" in visitor.text
    assert [word for word in ("Connect a shop", "Log in") if word not in visitor.text] == []
    assert "demo shop" not in visitor.text


def test_where_people_are_invited_no_shop_is_connected_by_a_visitor(house):
    settings = replace(house.site.settings, registration="invited")
    visitor = PagesInstallation.of(replace(house.site, settings=settings), house.clock).visitor()
    visitor.go("/")

    assert ("Connect a shop" in visitor.text, "can invite you" in visitor.text) == (False, True)


def test_a_visitor_looks_at_the_demo_shop_and_changes_nothing(trying_out):
    visitor = trying_out.visitor()
    visitor.go("/")
    visitor.send("/demo")
    shop = visitor.where
    visitor.go("/stores/demo/removal")

    assert (shop, visitor.status) == ("/stores/demo", 403)


def test_two_visitors_are_one_reader(trying_out):
    for _ in range(2):
        visitor = trying_out.visitor()
        visitor.go("/")
        visitor.send("/demo")

    visitor.go("/account")
    assert visitor.text.count("visitor@demo.invalid") >= 1


def test_a_demo_shop_beside_another_shop_is_shown_to_no_visitor(trying_out):
    house = trying_out
    house.store("real", 1)
    visitor = house.visitor()
    visitor.go("/")
    says = visitor.text
    visitor.go("/connect")
    visitor.send("/demo")

    assert ("demo shop" in says, visitor.status) == (False, 404)


def test_without_the_setting_there_is_no_demo_shop(house):
    house.store("demo", house.member("bea@example.com"))
    visitor = house.visitor()
    visitor.go("/connect")
    visitor.send("/demo")

    assert visitor.status == 404
