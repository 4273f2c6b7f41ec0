"""A headless Chromium. It comes from the system (`make browser`), its driver from PyPI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "the browser is missing: `make browser` installs it"
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not use; it sees nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
