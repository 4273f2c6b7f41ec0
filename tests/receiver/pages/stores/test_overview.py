"""The overview: all stores of a user, the worst first, a page at a time."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, update

from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.schema.core import Store, StoreConnection
from receiver.pages.stores.overview import PAGE_SIZE
from tests.pipeline.ledger.rows import NOW, add_event

HERS = "bea@example.com"
SAID = {"headline": "beta: 12 messages were refused", "effect": "They are kept.", "to_do": ""}


@pytest.fixture
def account(pages):
    return pages.member(HERS)


def write(pages, step):
    with writing(pages.site.engine) as conn:
        return step(conn)


def shops(visitor):
    return re.findall(r'<h2><a href="/stores/([\w-]+)"', visitor.page)


def opened(pages, path="/"):
    visitor = pages.logged_in(HERS)
    visitor.go(path)
    return visitor


def add_shops(pages, account, count):
    rows = [
        {"account_id": account, "name": f"shop-{number:02}", "title": f"Box {number}", "created_at": NOW}
        for number in range(count)
    ]
    write(pages, lambda conn: conn.execute(insert(Store), rows))


def test_the_worst_comes_first_with_what_is_wrong(pages, account):
    acme, beta = pages.store("acme", account), pages.store("beta", account)
    write(pages, lambda conn: [add_event(conn, one, number) for number, one in enumerate((acme, beta))])
    alarm = NewAlarm("messages_refused", beta, subject="beta/customerio", said=SAID)
    write(pages, lambda conn: open_alarm(conn, alarm, NOW))

    visitor = opened(pages)

    assert shops(visitor) == ["beta", "acme"]
    assert "1 of 2 shops needs you." in visitor.text
    assert "12 messages were refused. They are kept." in visitor.text


def test_when_all_is_well_one_sentence_says_so(pages, account):
    ids = [pages.store(name, account) for name in ("acme", "beta")]
    write(pages, lambda conn: [add_event(conn, one, number) for number, one in enumerate(ids)])

    assert "All 2 shops are working." in opened(pages).text


def test_a_connection_that_was_just_refused_counts_before_a_sweep_has_seen_it(pages, account):
    pages.store("acme", account)
    refused = {"status": "paused", "status_reason": "Customer.io refused the Site ID and API key (401)"}
    write(pages, lambda conn: conn.execute(update(StoreConnection).values(**refused)))

    assert "Customer.io: Customer.io refused the Site ID and API key (401)" in opened(pages).text


def test_a_long_list_has_pages_and_none_is_skipped(pages, account):
    add_shops(pages, account, 2 * PAGE_SIZE + 3)
    visitor = opened(pages)
    seen = shops(visitor)
    while more := re.search(r'class="more" href="([^"]+)"', visitor.page):
        visitor.go(more[1].replace("&amp;", "&"))
        seen += shops(visitor)

    assert seen == [f"shop-{number:02}" for number in range(2 * PAGE_SIZE + 3)]


def test_a_shop_is_found_by_its_name_or_title(pages, account):
    add_shops(pages, account, 30)

    assert shops(opened(pages, "/?q=box 27")) == ["shop-27"]
    assert "No shop has this name." in opened(pages, "/?q=moon").text


@pytest.mark.parametrize("after", ["", "x", "0.", "9.zzz", "1234.a", "²."])
def test_an_address_that_cannot_be_read_shows_the_list(pages, account, after):
    pages.store("acme", account)

    assert opened(pages, f"/?after={after}").status == 200
