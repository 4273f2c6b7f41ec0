"""The pages on a phone, by keyboard alone: nothing is clicked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.served_pages import HERS, serve_pages
from tests.receiver.pages.browser import PASSWORD

PHONE = {"width": 390, "height": 844}
MAX_TABS = 80  # of the longest page


@pytest.fixture
def url(tmp_path: Path, migrated_sqlite: Path, valkey_url: str) -> Iterator[str]:
    with serve_pages(tmp_path, migrated_sqlite, valkey_url) as (installation, _):
        yield installation.site.settings.public_url


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, and see that a reader could follow."""
    expect(wanted).to_be_attached()
    for _ in range(MAX_TABS):
        if wanted.evaluate("(one) => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    style = "(one) => { const s = getComputedStyle(one); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
    assert wanted.evaluate(style), f"no mark of the focus: {wanted}"
    expect(wanted).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url


def enter(page: Page, wanted: Locator) -> None:
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def refresh(page: Page, part: str) -> None:
    """Refresh a part of the page, as its time does."""
    given = f"{{source: '{part}', target: '{part}', select: '{part}', swap: 'morph:outerHTML'}}"
    page.evaluate(f"htmx.ajax('GET', location.pathname, {given})")


def test_a_reader_logs_in_filters_opens_an_event_and_sets_aside_by_keyboard(url: str, page: Page):
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{url}/login")
    tab_to(page, page.get_by_label("Mail address"))
    page.keyboard.type(HERS)
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")

    enter(page, page.get_by_role("link", name="Skip to the content"))
    expect(page.locator("main")).to_be_focused()
    page.reload()
    enter(page, page.get_by_role("link", name="Activity", exact=True))
    enter(page, page.locator("details.filters > summary"))
    tab_to(page, page.get_by_label("What became of it"))
    page.keyboard.type("Could")
    enter(page, page.get_by_role("button", name="Show", exact=True))
    page.wait_for_url(re.compile("show=refused"))
    rows = page.locator("#rows > li")
    expect(rows).to_have_count(1)

    enter(page, rows.locator("details.opens > summary"))
    expect(rows.get_by_text("reached us")).to_be_visible()
    enter(page, rows.get_by_role("link", name="All about this event"))
    expect(page.get_by_role("heading", name="What Cratejoy sent")).to_be_visible()

    enter(page, page.get_by_role("link", name="Needs attention"))
    item = page.locator("[id^=item-]").first
    enter(page, item.locator("details.put-aside > summary"))
    tab_to(page, item.get_by_label("Why, for your colleagues"))
    page.keyboard.type("known, the shop mends it")
    tab_to(page, item.get_by_label("How long"))
    page.keyboard.type("For a week")
    tab_to(page, item.get_by_role("button", name="Set aside"))
    refresh(page, "#attention")
    expect(item.get_by_label("Why, for your colleagues")).to_have_value("known, the shop mends it")
    expect(item.get_by_label("How long")).to_have_value("7")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Set aside by {HERS}")).to_be_visible()
    expect(page.get_by_text("known, the shop mends it")).to_be_visible()
    assert failed == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
