"""The security headers of every page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.receiver.pages.browser import PagesInstallation


@pytest.mark.parametrize("path", ["/login", "/nothing/here", "/static/cratewire.css"])
def test_every_answer_allows_nothing_from_elsewhere(pages, path):
    visitor = pages.visitor()
    visitor.go(path)

    policy = visitor.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_pages_are_not_cached(pages):
    visitor = pages.visitor()
    visitor.go("/login")

    assert visitor.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/login", "/register", "/reset", "/confirm"])
def test_no_page_needs_what_the_policy_forbids(pages, path):
    page = pages.visitor().go(path)

    assert not any(mark in page for mark in ("<style", " style=", "onclick=", "//cdn"))


def cookies(pages):
    pages.user()
    answer = pages.app.test_client()
    page = answer.get("/login", base_url=pages.site.settings.public_url)
    return page.headers.getlist("Set-Cookie")


def test_over_https_cookies_are_for_this_host_and_https_only(pages):
    [cookie] = cookies(pages)

    assert cookie.startswith("__Host-cratewire=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_without_https_cookies_still_reach_us(site):
    plain = PagesInstallation.of(
        replace(site, settings=replace(site.settings, public_url="http://127.0.0.1:8080")), [site.now()]
    )

    [cookie] = cookies(plain)

    assert cookie.startswith("cratewire=")
    assert "Secure" not in cookie
