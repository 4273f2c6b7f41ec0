"""A log-in redirects to a page of ours, whatever `next` says."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.receiver.pages.browser import PASSWORD, PUBLIC

EMAIL = "bea@example.com"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "\\/evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/\t//evil.example",
    "/\n//evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ //evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "https://hooks.example.com@evil.example/",
    "https://hooks.example.com.evil.example/",
    "//hooks.example.com:8000/",
]


def as_browsers_read(location):
    """WHATWG's URL Standard: tabs and line ends are dropped, backslashes are slashes, more than two slashes are two."""
    read = "".join(letter for letter in location if letter not in "\t\r\n").strip().replace("\\", "/")
    return "//" + read.lstrip("/") if read.startswith("//") else read


def leads_elsewhere(answer):
    place = urlsplit(as_browsers_read(answer.headers.get("Location", "")))
    return (place.scheme, place.netloc) not in (("", ""), tuple(urlsplit(PUBLIC)[:2]))


def test_a_log_in_leads_nowhere_else(pages):
    pages.user(EMAIL)

    def log_in(target):
        visitor = pages.visitor()
        visitor.go("/login")
        return visitor.send_only("/login", email=EMAIL, password=PASSWORD, next=target)

    assert [target for target in ELSEWHERE if leads_elsewhere(log_in(target))] == []


def test_who_is_logged_in_already_is_led_nowhere_else(pages):
    pages.user(EMAIL)
    visitor = pages.logged_in(EMAIL)

    assert [target for target in ELSEWHERE if leads_elsewhere(visitor.ask("/login", next=target))] == []


def test_a_log_in_leads_to_the_page_that_asked_for_it(pages):
    pages.store("acme", pages.member(EMAIL))
    visitor = pages.visitor()
    visitor.go("/stores/acme")
    visitor.send("/login?next=/stores/acme", email=EMAIL, password=PASSWORD)

    assert visitor.where == "/stores/acme"
