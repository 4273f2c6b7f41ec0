"""The first visit: what this is, and how to begin."""

from __future__ import annotations

from dataclasses import replace

from tests.receiver.pages.browser import PagesInstallation


def test_a_visitor_reads_what_this_is_and_what_is_needed(pages):
    visitor = pages.visitor()
    visitor.go("/")

    assert "Your box shop's events, in your messaging platform." in visitor.text
    assert "Cratejoy's Client ID and Client Secret" in visitor.text
    assert "Customer.io: Site ID and API key" in visitor.text
    assert "Signed web hook: Address and Secret" in visitor.text
    assert [word for word in ("Connect a shop", "Log in") if word not in visitor.text] == []
    assert "demo shop" not in visitor.text


def test_where_people_are_invited_no_shop_is_connected_by_a_visitor(pages):
    settings = replace(pages.site.settings, registration="invited")
    visitor = PagesInstallation.of(replace(pages.site, settings=settings), pages.clock).visitor()
    visitor.go("/")

    assert ("Connect a shop" in visitor.text, "can invite you" in visitor.text) == (False, True)
