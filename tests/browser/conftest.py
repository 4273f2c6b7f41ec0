"""A headless Chromium. It comes from the system (`make browser`), its driver from PyPI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """It ends with this folder's tests: its driver keeps an event loop running in their thread, where others need one.

    Playwright's synchronous calls are greenlets on that loop, so `asyncio.run` in a later test of the same process
    finds it and refuses.
    """
    path = shutil.which("chromium")
    assert path, "the browser is missing: `make browser` installs it"
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not use; it sees nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
