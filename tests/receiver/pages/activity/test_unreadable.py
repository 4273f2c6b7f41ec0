"""Hooks that could not be read, in the feed and on a page of their own."""

from __future__ import annotations

import re
import zlib

import pytest
from sqlalchemy import insert, select

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from receiver.pages.activity.views import PAGE_SIZE
from tests.builders import NOW

HERS, OTHERS = "bea@example.com", "eve@example.com"
RAW = b'{"id": <script>alert(1)</script>\x00'


@pytest.fixture
def visitor(pages):
    pages.store("not-hers", pages.member(OTHERS))
    pages.store("acme", pages.member(HERS))
    return pages.logged_in(HERS)


def add_hook(pages, number=1, store="acme", **more):
    row = {"store": store, "version": 1, "event": "order_new", "receipt": f"r{number}", "stage": "decode"}
    row |= {"reason": "not_json", "detail": {"at": 7}, "raw": zlib.compress(RAW), "received_at": NOW, "died_at": NOW}
    with writing(pages.site.engine) as conn:
        row["store_id"] = conn.execute(select(core.Store.id).where(core.Store.name == store)).scalar_one()
        return conn.execute(insert(core.DeadHook).values(row | more).returning(core.DeadHook.id)).scalar_one()


def hooks(visitor):
    return [int(number) for number in re.findall(r'<li id="hook-(\d+)"', visitor.page)]


def test_a_hook_that_could_not_be_read_is_listed_with_its_reason(pages, visitor):
    first, second = add_hook(pages), add_hook(pages, 2, reason="a_new_reason")

    visitor.go("/activity?show=unreadable")

    assert hooks(visitor) == [second, first]
    assert "could not be read: cut short" in visitor.text
    assert "could not be read: a new reason" in visitor.text


@pytest.mark.parametrize("more", [{"store": "not-hers"}, {"replayed_at": NOW}], ids=["another account's", "replayed"])
def test_other_hooks_are_not_listed_and_have_no_page(pages, visitor, more):
    dead_id = add_hook(pages, **more)

    visitor.go("/activity?show=unreadable")
    assert hooks(visitor) == []
    for path in ("", "/raw"):
        visitor.go(f"/activity/unreadable/{dead_id}{path}")
        assert visitor.status == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("event=order_new", 1),
        ("event=customer_new", 0),
        ("source=hook", 0),
        ("since=2999-01-01", 0),
        ("until=1999-01-01", 0),
    ],
)
def test_the_filters_hold_for_them_too(pages, visitor, query, found):
    add_hook(pages)

    visitor.go(f"/activity?show=unreadable&{query}")

    assert len(hooks(visitor)) == found


def test_their_pages_follow_each_other_without_a_gap(pages, visitor):
    added = [add_hook(pages, number) for number in range(PAGE_SIZE + 1)]

    visitor.go("/activity?show=unreadable")
    first = hooks(visitor)
    visitor.go(re.search(r'class="more" href="([^"]+)"', visitor.page)[1].replace("&amp;", "&"))

    assert first + hooks(visitor) == added[::-1]


def test_its_page_has_the_reason_and_the_bytes_and_runs_nothing_of_them(pages, visitor):
    dead_id = add_hook(pages)

    visitor.go(f"/activity/unreadable/{dead_id}")
    assert "&lt;script&gt;alert(1)" in visitor.page
    assert "<script>alert" not in visitor.page
    assert "cut short" in visitor.text

    assert visitor.ask(f"/activity/unreadable/{dead_id}/raw").data == RAW
