"""An installation below a prefix, as https://example.com/cratewire: every address on its pages begins with it."""

from __future__ import annotations

import re

from pipeline.ledger.engine import writing
from pipeline.ledger.invitations import create_invitation
from receiver.pages.accounts.send_invitation import build_serializer
from tests.receiver.pages.browser import PASSWORD, PUBLIC
from tests.receiver.pages.test_crafted_values import ENDS_THE_LOG_IN, build_path

BEA = "bea@example.com"
PREFIX = "/cratewire"
BELOW = f"{PUBLIC}{PREFIX}"
ADDRESS = re.compile(r'(?:href|src|action|hx-[a-z]+|sse-connect|data-[a-z-]+)="(/[^"]*)"')


def test_every_address_on_a_page_begins_with_the_prefix(pages):
    pages.store("acme", pages.member(BEA))
    browser = pages.logged_in(BEA)._client
    wrong = []
    for rule in pages.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint in ENDS_THE_LOG_IN:
            continue
        answer = browser.get(build_path(rule), base_url=BELOW)
        found = [*ADDRESS.findall(answer.text), *filter(None, [answer.headers.get("Location")])]
        answer.close()
        wrong += [(rule.rule, address) for address in found if not address.startswith((f"{PREFIX}/", f"{BELOW}/"))]

    assert wrong == []


def test_an_invitation_of_a_user_is_opened_after_the_log_in(pages):
    pages.user("guest@example.com")
    account = pages.member(BEA)
    with writing(pages.site.engine) as conn:
        invitation_id = create_invitation(conn, account, "guest@example.com", "reader", pages.site.now())
    path = f"/invitations/{build_serializer(pages.site.settings.secret_keys).dumps(invitation_id)}"
    browser = pages.visitor()._client
    pages.app.config["WTF_CSRF_ENABLED"] = False
    to_log_in = browser.get(path, base_url=BELOW).headers["Location"]
    given = {"email": "guest@example.com", "password": PASSWORD}
    answer = browser.post(to_log_in.removeprefix(PREFIX), base_url=BELOW, data=given)

    assert answer.headers["Location"] == f"{PREFIX}{path}"
