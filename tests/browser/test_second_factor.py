"""The second factor in a browser, by keyboard: switched on past a mistyped code, logged in with, recovered from."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from passlib.totp import TOTP
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from pipeline.context import build_context
from pipeline.ledger.engine import make_engine
from pipeline.settings import Settings
from receiver.demo.processes import find_free_ports
from tests.builders import NOW
from tests.receiver.pages.browser import PASSWORD, PagesInstallation

EMAIL = "bea@example.com"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def url(tmp_path: Path, migrated_sqlite: Path, valkey_url: str) -> Iterator[str]:
    """The pages of an installation, with one user."""
    shutil.copy(migrated_sqlite, tmp_path / "cratewire.db")
    [port] = find_free_ports(1)
    server_url = f"http://127.0.0.1:{port}"
    settings = Settings.from_environment(
        {
            "CRATEWIRE_DATA_DIR": str(tmp_path),
            "CRATEWIRE_SECRET_KEY": "a-key-that-only-tests-know",
            "CRATEWIRE_PUBLIC_URL": server_url,
            "REDIS_URL": valkey_url,
        }
    )
    engine, client = make_engine(settings.database_url), redis.Redis.from_url(valkey_url)
    pages = PagesInstallation.of(replace(build_context(settings, engine, client), now=lambda: NOW), [NOW])
    pages.member(EMAIL)
    server = make_server("127.0.0.1", port, pages.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server_url
    server.shutdown()
    thread.join()
    engine.dispose()
    client.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address.partition("?")[0])


def log_out(page: Page) -> None:
    page.locator("details.account summary").press("Enter")
    page.get_by_role("button", name="Log out", exact=True).press("Enter")
    page.wait_for_url(lambda address: "/login" in address)


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").last.fill(code)
    page.keyboard.press("Enter")


def test_a_second_factor_is_switched_on_and_logged_in_with(url: str, page: Page):
    log_in(page, url)
    page.goto(f"{url}/account")
    page.get_by_role("link", name="Switch on a second factor").press("Enter")
    page.get_by_role("button", name="Go on").first.press("Enter")
    expect(page.locator("#qrcode")).to_be_visible()
    secret = page.locator("main form code").inner_text()
    app = TOTP(key=secret, format="base32")

    enter(page, "000000")
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    expect(page.locator("#qrcode")).to_be_visible()
    assert secret in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    first = app.generate()
    enter(page, first.token)
    codes = page.locator("li.fs-div")
    expect(codes.first).to_be_visible()
    recovery = codes.first.inner_text().strip()

    page.goto(f"{url}/account")
    expect(page.get_by_text("on: an authenticator app")).to_be_visible()
    log_out(page)
    log_in(page, url)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    enter(page, first.token)  # each works once
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    enter(page, app.generate(first.expire_time).token)
    expect(page.locator("details.account")).to_be_visible()

    log_out(page)
    log_in(page, url)
    page.get_by_role("link", name="Log in with a recovery code").press("Enter")
    enter(page, recovery)
    expect(page.locator("details.account")).to_be_visible()
