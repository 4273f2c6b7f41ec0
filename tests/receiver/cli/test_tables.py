"""Text output fits a terminal of 80 columns; JSON is never cut."""

from __future__ import annotations

import io

import click
import pytest
from rich.console import Console

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.queries import DeadLetterSummary, DeliveryDetail, EventSummary
from receiver.cli import COMMANDS, accounts, dead, events, main, status
from receiver.cli.output import format_latency, format_short_time
from tests.builders import NOW

LONGEST = max(EVENTS, key=len)


def printed(shown, width=80):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(shown)
    return out.getvalue()


def an_event(**more):
    shown = {
        "id": 12345,
        "store": "acme",
        "name": LONGEST,
        "outcome": "forwarded",
        "source": "hook",
        "subject": "order",
    }
    known = {"subject_id": 7118352651, "ulid": "", "receipt": "", "is_test": False, "duplicates": 0}
    times = dict.fromkeys(("occurred_at", "received_at", "recorded_at"), NOW)
    return EventSummary(**{**shown, **known, **times, **more})


@pytest.mark.parametrize("outcome", ["forwarded", "unknown_event", "no_connection"])
def test_an_event_is_one_line_of_80_columns(outcome):
    lines = printed(events._build_table([an_event(outcome=outcome)])).splitlines()

    assert len(lines) == 2
    assert LONGEST in lines[1]


def test_a_line_of_tail_fits_80_columns():
    assert len(events._format_line(an_event(outcome="unknown_event"))) <= 80


def test_a_repeated_event_says_how_many_hooks_it_had():
    assert "came 3 times" in printed(events._build_table([an_event(name="order_new", duplicates=2)]))


@pytest.mark.parametrize("reason", ["profile_refused", "identifier_too_long"])
def test_a_dead_delivery_is_one_line_of_80_columns(reason):
    one = DeadLetterSummary(NOW, "delivery", 1234, "acme", LONGEST, "forward", reason)
    out = io.StringIO()
    dead._print_table(Console(file=out, width=80, color_system=None), [one])

    assert len(out.getvalue().splitlines()) == 2
    assert reason in out.getvalue()


def a_delivery(**more):
    numbers = dict.fromkeys(("event_id", "connection_id", "lane", "created_at"), 1)
    shown = {"id": 1234567, "person_id": 123456, "platform": "customerio", "kind": "event", "name": LONGEST}
    known = {"status": "sending", "attempts": 120, "reason": None, "done_at": NOW + 36_000_400_000}
    rest = {"message_id": "", "detail": None, "notes": [], "message": {}}
    return DeliveryDetail(**{**numbers, **shown, **known, **rest, **more})


def test_a_delivery_of_an_event_is_one_line_of_80_columns():
    lines = printed(events._build_deliveries_table([a_delivery()], NOW)).splitlines()

    assert len(lines) == 2
    assert [word for word in ("1234567", LONGEST, "sending", "120", "+36000.4 s") if word not in lines[1]] == []


LONG_NAME = "the-quarterly-mystery-box-of-north-country-candles-and-soaps-co"


def test_a_long_name_of_a_store_leaves_every_figure_readable():
    one = {
        "store": LONG_NAME,
        "platform": "customerio",
        "label": "",
        "title": None,
        "status": "paused",
        "pending": 43,
        "sending": 0,
    }
    rest = {"oldest_pending_seconds": 314.024, "sent": 29512, "dead": 17, "waiting_reason": "answered 503"}

    text = printed(status._build_connections_table([{**one, **rest}], {}))

    assert [word for word in ("customerio", "paused", "43", "5:14", "29512", "17", "503") if word not in text] == []


def test_an_account_with_many_stores_still_says_whose_it_is():
    members = [{"email": "bea.buyer@example.com", "role": "owner"}]
    stores = [f"box-{number:02}" for number in range(24)]
    found = [{"account": "default", "stores": stores, "members": members, "invited": []}]

    text = printed(accounts._build_table(found))

    assert [word for word in ("default", "box-23", "owner") if word not in text] == []


def test_times_leave_out_the_year_and_durations_choose_their_unit():
    assert (format_short_time(NOW), format_short_time(None)) == ("03-02 16:46:40", "")
    assert (format_latency(259_400), format_latency(2_500_000), format_latency(None)) == ("259 ms", "2.5 s", "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_sentence_in_the_help_of_a_group_is_cut_off(name):
    group = main.get_command(click.Context(main), name)
    if isinstance(group, click.Group):
        commands = group.get_help(click.Context(group, info_name=name, terminal_width=80)).partition("Commands:")[2]

        assert "..." not in commands
