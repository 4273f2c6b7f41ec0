"""axe finds nothing, of any level, on any page, in light and in dark: WCAG AA and its advice. Each fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.page_list import ListedPage, list_pages
from tests.browser.served_pages import HERS, serve_pages
from tests.browser.world import DESK, PHONE
from tests.receiver.pages.browser import PASSWORD, PagesInstallation

pytestmark = pytest.mark.slow

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN = """async (only) => {
  const options = {resultTypes: ["violations"], ...(only ? {runOnly: {type: "rule", values: only}} : {})};
  const found = await axe.run(document, options);
  const show = (one) => one.nodes.map((node) => node.html).join(" | ").slice(0, 300);
  return found.violations.map((one) => `${one.id} (${one.impact}): ${show(one)}`);
}"""


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, valkey_url: str
) -> Iterator[tuple[PagesInstallation, dict[str, object]]]:
    with serve_pages(tmp_path_factory.mktemp("axe"), migrated_sqlite, valkey_url) as served:
        yield served


def find_violations(page: Page, base: str, listed: ListedPage) -> Iterator[str]:
    """What axe finds on one page: everything in light, and what depends on the colours in dark. Then its width."""
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    answer = page.goto(f"{base}{listed.address}", wait_until="domcontentloaded")
    assert answer is not None
    if answer.status not in (200, 404) or (answer.status == 404) != (listed.name == "not-found"):
        yield f"{listed.name}: answered {answer.status}"
    page.evaluate(AXE)  # by the browser itself, not by the page, whose content security policy forbids it
    looks: tuple[tuple[Any, Any], ...] = (("light", None), ("dark", ["color-contrast", "link-in-text-block"]))
    for look, only in looks:
        page.emulate_media(color_scheme=look)
        yield from (f"{listed.name} in {look}: {said}" for said in page.evaluate(RUN, only))
    page.set_viewport_size(PHONE)
    if (width := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
        yield f"{listed.name} is {width} px wide on a phone"


def test_axe_finds_nothing_on_any_page_and_each_fits_a_phone(
    served: tuple[PagesInstallation, dict[str, object]], chromium: Browser
):
    installation, known = served
    base = installation.site.settings.public_url
    found: list[str] = []
    visitor, member = (chromium.new_context(reduced_motion="reduce").new_page() for _ in range(2))
    member.goto(f"{base}/login")
    member.locator("#email").fill(HERS)
    member.locator("#password").fill(PASSWORD)
    member.locator("main [type=submit]").click()
    member.wait_for_url(f"{base}/")
    for listed in list_pages(known):
        found += find_violations(visitor if listed.is_public else member, base, listed)
    for page in (visitor, member):
        page.context.close()

    assert "\n".join(found) == ""
