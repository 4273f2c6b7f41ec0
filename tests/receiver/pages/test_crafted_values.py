"""What a visitor may put into an address or a form: no value makes a page fail."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import quote

import pytest
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict

from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.replays import Selection, insert_replay
from tests.receiver.pages.browser import PUBLIC

BEA = "bea@example.com"
BIG = "9" * 25
CRAFTED = ("²", BIG, "-1", "9999-12-31T23:59")
NUMBERED = re.compile(r"-([2-9]|\d\d+)$")  # the first two of a numbered list stand for all
# Whose other fields have to be right before one of them is read.
RIGHT = {"store": "acme", "what": "filter"}
KNOWN = {
    "name": "acme",
    "platform": "customerio",
    "place": "1",
    "key": "api_key",
    "action": "pause",
    "filename": "icon.svg",
}
ENDS_THE_LOG_IN = {
    "security.logout",
    "security.two_factor_token_validation",
    "account.log_out_everywhere",
    "demo_visitor.look",
}


class Asked(ImmutableMultiDict):
    """Parameters that remember by which names they are asked for."""

    names: ClassVar[set[str]] = set()

    def get(self, key, *args, **more):
        self.names.add(key)
        return super().get(key, *args, **more)

    def getlist(self, key, *args, **more):
        self.names.add(key)
        return super().getlist(key, *args, **more)

    def __getitem__(self, key):
        self.names.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.names.add(key)
        return super().__contains__(key)


class AskedRequest(Request):
    parameter_storage_class = Asked


@pytest.fixture
def opened(pages):
    """The pages of a store with an item that needs attention, to a browser that sends forms without their token."""
    store_id = pages.store("acme", pages.member(BEA))
    now = pages.site.now()
    with writing(pages.site.engine) as conn:
        said = {"headline": "acme: it is x", "effect": "It is.", "to_do": "Do it."}
        open_alarm(conn, NewAlarm("platform_keys_refused", store_id, subject="x", said=said), now)
        insert_replay(conn, store_id, Selection("refused"), delivers_again=False, user_id=None, now=now)
    visitor = pages.logged_in(BEA)
    pages.app.config["WTF_CSRF_ENABLED"] = False
    pages.app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    pages.app.request_class = AskedRequest
    return pages, visitor._client


def list_rules(pages):
    """(path, method, endpoint) of every rule, with arguments in <angle brackets>; forms last: they change something."""
    found = [
        (rule, method)
        for rule in pages.app.url_map.iter_rules()
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if rule.endpoint not in ENDS_THE_LOG_IN
    ]
    return sorted(found, key=lambda one: (one[1] != "GET", one[0].rule))


def build_path(rule, **given):
    path = rule.rule
    for argument in rule.arguments:
        value = given.get(argument, KNOWN.get(argument, "1"))
        for converter in ("", "int:", "path:"):
            path = path.replace(f"<{converter}{argument}>", quote(value, safe=""))
    return path


def test_no_value_in_a_path_makes_a_page_fail(opened):
    pages, browser = opened
    wrong = []
    for rule, method in list_rules(pages):
        for argument in sorted(rule.arguments):
            for value in (BIG, "a\0b"):
                answer = browser.open(build_path(rule, **{argument: value}), method=method, base_url=PUBLIC)
                answer.close()
                wrong += [(method, rule.rule, argument, value, answer.status)] if answer.status_code >= 500 else []

    assert wrong == []


def test_no_value_of_a_parameter_or_a_field_makes_a_page_fail(opened):
    pages, browser = opened
    wrong = []
    for rule, method in list_rules(pages):
        place = "query_string" if method == "GET" else "data"
        Asked.names = set()
        names, done = {""}, set()
        while names - done:
            name = min(names - done)
            for value in CRAFTED if name else [""]:
                given = {place: RIGHT | {name: value}, "base_url": PUBLIC}
                answer = browser.open(build_path(rule), method=method, **given)
                answer.close()
                wrong += [(method, rule.rule, name, value, answer.status)] if answer.status_code >= 500 else []
            done.add(name)
            names |= {name for name in Asked.names if not NUMBERED.search(name)}

    assert wrong == []
