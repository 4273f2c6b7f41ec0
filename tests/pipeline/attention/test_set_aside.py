"""What is set aside is announced, is in no mail meanwhile, and comes back when it gets worse."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from sqlalchemy import update

from pipeline.attention.causes import removals
from pipeline.attention.set_aside import set_aside, unset_aside
from pipeline.core.errors import Misconfigured
from pipeline.core.hooks import UNREADABLE_TEXTS
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.removals import begin_deletion, postpone_removal, request_removal
from pipeline.ledger.schema.core import Delivery
from tests.documents.markdown import get_code_names, get_section, parse_tables, read_document

DAY_MINUTES = 1440


def refuse(attention, number: int) -> None:
    with writing(attention.engine) as conn:
        dead = {"status": "dead", "done_at": attention.clock, "reason": "name_too_long"}
        conn.execute(update(Delivery).where(Delivery.id == number).values(dead))


@pytest.fixture
def aside(attention):
    """One refused message, that its owner was notified of, and which is set aside."""
    refuse(attention, attention.waits(2)[0])
    attention.sweep()
    attention.letters()
    attention.notices()
    set_aside(attention.context, 1, COMMAND_LINE_ACTOR, reason="an old import")
    return attention


def test_it_is_announced_to_programs_without_its_reason(aside):
    [notice] = aside.notices()

    assert (notice["type"], [row["kind"] for row in notice["data"]["set_aside"]]) == (
        "alarms.set_aside",
        ["messages_refused"],
    )
    assert "an old import" not in str(notice)


def test_no_reminder_mentions_it(aside):
    aside.notices()
    aside.sweep(minutes=2 * DAY_MINUTES)

    assert (aside.letters(), aside.notices()) == ([], [])
    assert [item.set_aside.reason for item in aside.list()] == ["an old import"]


def test_it_comes_back_when_it_gets_worse_and_is_announced_again(aside):
    aside.notices()
    aside.clock += 1
    refuse(aside, 2)
    aside.sweep(minutes=1)

    assert [item.set_aside for item in aside.list()] == [None]
    [(_, subject, _)] = aside.letters()
    assert subject.startswith("acme: 2 messages were refused by Customer.io: name too long (2)")
    assert [notice["type"] for notice in aside.notices()] == ["alarms.opened"]


@pytest.mark.on_both_databases
def test_what_is_not_open_cannot_be_set_aside(aside):
    with pytest.raises(Misconfigured, match="no longer possible"):
        set_aside(aside.context, 1, COMMAND_LINE_ACTOR, reason="again")
    unset_aside(aside.context, 1, COMMAND_LINE_ACTOR)
    with pytest.raises(Misconfigured, match="no longer possible"):
        unset_aside(aside.context, 1, COMMAND_LINE_ACTOR)


@pytest.mark.parametrize(
    ("reason", "days", "error"),
    [(" ", None, "Say why"), ("x", 0, "1 to 90 days"), ("x", 91, "1 to 90 days"), ("x", 1, None), ("x", 90, None)],
)
def test_a_reason_is_needed_and_one_to_ninety_days(attention, reason, days, error):
    refuse(attention, attention.waits()[0])
    attention.sweep()
    refused = pytest.raises(Misconfigured, match=error) if error else nullcontext()
    with refused:
        set_aside(attention.context, 1, COMMAND_LINE_ACTOR, reason=reason, days=days)

    [item] = attention.list()
    assert (item.set_aside is None) == (error is not None)


@pytest.mark.on_both_databases
def test_it_comes_back_when_its_time_is_over(attention):
    with writing(attention.engine) as conn:
        pause_connection(conn, attention.link.id, "answered 403", attention.clock)
    attention.sweep()
    set_aside(attention.context, 1, COMMAND_LINE_ACTOR, reason="known", days=1)
    attention.sweep(minutes=1)
    before = [item.set_aside is None for item in attention.list()]
    attention.sweep(minutes=DAY_MINUTES)

    assert (before, [item.set_aside is None for item in attention.list()]) == ([False], [True])


@pytest.mark.on_both_databases
def test_a_removal_that_waits_for_cratejoy_is_an_item_until_it_goes_on(attention):
    with writing(attention.engine) as conn:
        request_removal(conn, attention.store.id, attention.clock, leaves_hooks=False)
    found = [list(removals.CAUSE.find_items(attention.context))]
    with writing(attention.engine) as conn:
        postpone_removal(conn, attention.store.id, attention.clock, "Cratejoy answered 503")
    found.append([item.headline for item in removals.CAUSE.find_items(attention.context)])
    with writing(attention.engine) as conn:
        begin_deletion(conn, attention.store.id, attention.clock)
    found.append(list(removals.CAUSE.find_items(attention.context)))

    assert found == [[], ["acme: its removal waits for Cratejoy"], []]


def test_every_reason_of_a_dead_hook_has_its_words():
    [table] = parse_tables(get_section(read_document("docs/operations.md"), "## Why a hook is dead"))

    assert {name for row in table for name in get_code_names([row])[:1]} == set(UNREADABLE_TEXTS)
