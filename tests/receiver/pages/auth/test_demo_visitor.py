"""The demo shop, where trying out is allowed: its visitors look at everything there and change nothing anywhere."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.replays import Selection, insert_replay
from pipeline.ledger.schema.accounts import User
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.test_crafted_values import build_path
from tests.receiver.pages.test_isolation import everything

LOOKS = {"security.logout", "people.find", "people.find_all", "demo_visitor.look"}
LEADS_HOME = ("security.", "connect.")


@pytest.fixture
def trying_out(pages):
    """An installation with a demo store."""
    settings = replace(pages.site.settings, demo_store="demo")
    opened = PagesInstallation.of(replace(pages.site, settings=settings), pages.clock)
    opened.store("demo", opened.member("bea@example.com"))
    return opened


@pytest.fixture
def visitor(trying_out):
    """A browser in which the demo shop was opened."""
    now = trying_out.site.now()
    with writing(trying_out.site.engine) as conn:
        said = {"headline": "demo: it is x", "effect": "It is.", "to_do": "Do it."}
        open_alarm(conn, NewAlarm("platform_keys_refused", 1, subject="x", said=said), now)
        insert_replay(conn, 1, Selection("refused"), delivers_again=False, user_id=None, now=now)
    visitor = trying_out.visitor()
    visitor.go("/")
    visitor.send("/demo")
    return visitor


def list_paths(pages, method):
    """(endpoint, path) of every page, or form, with the demo shop's name in its place."""
    for rule in pages.app.url_map.iter_rules():
        if method in rule.methods:
            yield rule.endpoint, build_path(rule, name="demo")


def find_endpoint(pages, path):
    urls = pages.app.url_map.bind("hooks.example.com")
    for method in ("POST", "GET"):
        try:
            return urls.match(path.partition("?")[0].partition("#")[0], method=method)[0]
        except HTTPException:
            continue
    raise LookupError(path)


def test_no_form_but_those_for_looking_is_taken(trying_out, visitor):
    before = everything(trying_out)
    taken = []
    for endpoint, path in list_paths(trying_out, "POST"):
        if endpoint not in LOOKS:
            visitor.go("/people")
            visitor.send(path, role="owner", email="intruder@example.com")
            taken += [(path, visitor.status)] if (visitor.status, "demo shop" in visitor.text) != (403, True) else []

    assert (taken, everything(trying_out) == before) == ([], True)


def test_no_page_shows_a_form_or_a_link_that_is_refused(trying_out, visitor):
    shown = []
    for endpoint, path in list_paths(trying_out, "GET"):
        if endpoint == "static":
            continue
        visitor.go(path)
        forms = re.findall(r'<form(?=[^>]*method="post")[^>]*action="([^"]+)"', visitor.page)
        links = re.findall(r'<a [^>]*href="(/[^"]*)"', visitor.page)
        found = {find_endpoint(trying_out, target) for target in forms} - LOOKS
        led = {
            one
            for target in links
            if (one := find_endpoint(trying_out, target) or "").startswith(("security", "connect"))
        }
        shown += [(path, found | led)] if found | led else []

    assert shown == []


def test_what_leads_to_a_change_leads_home_with_a_sentence(visitor):
    led = []
    for path in ("/connect", "/connect?store=demo", "/change", "/change-email", "/tf-setup", "/login"):
        visitor.go(path)
        led.append((visitor.where, "change nothing" in visitor.text))

    assert set(led) == {("/", True)}


def test_a_visitor_finds_people_and_logs_out(visitor):
    visitor.go("/people")
    visitor.send("/people", wanted="stranger@example.com")
    found = visitor.status
    visitor.send("/logout")

    assert (found, visitor.where) == (404, "/login")


def test_another_user_of_the_same_installation_may_change_things(trying_out, visitor):
    owner = trying_out.logged_in("bea@example.com")
    owner.go("/connect")

    assert owner.where == "/connect"


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

    with reading(trying_out.site.engine) as conn:
        addresses = conn.execute(select(User.email).order_by(User.id)).scalars().all()
    assert addresses == ["bea@example.com", "visitor@demo.invalid"]


def test_a_demo_shop_beside_another_shop_is_shown_to_no_visitor(trying_out):
    pages = trying_out
    pages.store("real", 1)
    visitor = pages.visitor()
    visitor.go("/")
    says = visitor.text
    visitor.go("/connect")
    visitor.send("/demo")

    assert ("demo shop" in says, visitor.status) == (False, 404)


def test_without_the_setting_there_is_no_demo_shop(pages):
    pages.store("demo", pages.member("bea@example.com"))
    visitor = pages.visitor()
    visitor.go("/connect")
    visitor.send("/demo")

    assert visitor.status == 404
