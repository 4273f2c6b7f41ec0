"""The list of pages for the pictures and for axe has every page of the site."""

from __future__ import annotations

from string import Formatter

from werkzeug.exceptions import NotFound

from tests.browser.page_list import PAGES
from tests.browser.served_pages import HERS, fill

# Addresses of the site that are no page, or that only a step before them leads to.
NO_PAGES = {
    "a part of a page": {
        "asked.show",
        "event.inline",
        "activity.live",
        "activity.new",
        "home.latest",
        "own_test_event.arrival",
        "replays.progress",
        "store_rehearsals.result",
    },
    "a file": {
        "batches.manifest",
        "event.document",
        "event.raw",
        "files.download",
        "people.export",
        "static",
        "unreadable.raw",
    },
    "a link in a mail": {
        "invitations.show",
        "security.change_email_confirm",
        "security.confirm_email",
        "security.reset_password",
    },
    "a step of a form": {
        "connect.connected",
        "security.mf_recovery",
        "security.tf_select",
        "security.two_factor_rescue",
        "security.two_factor_token_validation",
    },
}


def find_endpoint(pages, address, known):
    urls = pages.app.url_map.bind("hooks.example.com", url_scheme="https")
    path = address.partition("?")[0].format_map(known)
    try:
        endpoint, _ = urls.match(path)
    except NotFound:
        return None
    return endpoint


def test_every_page_is_in_the_list(pages):
    names = {name for page in PAGES for _, name, _, _ in Formatter().parse(page.address) if name}
    listed = {find_endpoint(pages, page.address, dict.fromkeys(names, 1)) for page in PAGES}
    found = {rule.endpoint for rule in pages.app.url_map.iter_rules() if "GET" in rule.methods}

    assert found - set().union(*NO_PAGES.values()) == listed - {None}


def test_every_page_of_the_list_can_be_opened(pages):
    known = fill(pages)
    visitors = {True: pages.visitor(), False: pages.logged_in(HERS)}
    wrong = []
    for page in PAGES:
        visitor = visitors[page.is_public]
        visitor.go(page.address.format_map(known))
        path = page.address.partition("?")[0].format_map(known)
        if (visitor.status, visitor.where) != (404 if page.name == "not-found" else 200, path):
            wrong.append((page.name, visitor.status, visitor.where))

    assert wrong == []
