"""What people read fits a terminal of 80 columns; what programs read is never cut."""

from __future__ import annotations

import io

import click
import pytest
from rich.console import Console

from pipeline.events.table import EVENTS
from pipeline.ledger.reading import DeadListed, EventListed
from receiver.cli import COMMANDS, dead, events, main
from receiver.cli.tables import moment, took
from tests.builders import NOW

LONGEST = max(EVENTS, key=len)


def printed(shown, width=80):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(shown)
    return out.getvalue()


def an_event(**more):
    told = {"id": 12345, "store": "acme", "name": LONGEST, "outcome": "forwarded", "source": "hook", "subject": "order"}
    known = {"subject_id": 7118352651, "ulid": "", "receipt": "", "is_test": False, "duplicates": 0}
    times = dict.fromkeys(("occurred_at", "received_at", "recorded_at"), NOW)
    return EventListed(**{**told, **known, **times, **more})


@pytest.mark.parametrize("outcome", ["forwarded", "unknown_event", "no_connection"])
def test_an_event_is_one_line_of_80_columns(outcome):
    lines = printed(events._table([an_event(outcome=outcome)])).splitlines()

    assert len(lines) == 2
    assert LONGEST in lines[1]


def test_a_line_of_tail_fits_80_columns():
    assert len(events._line(an_event(outcome="unknown_event"))) <= 80


def test_a_repeated_event_says_how_often_it_was_told():
    assert "told 3 times" in printed(events._table([an_event(name="order_new", duplicates=2)]))


def test_a_dead_delivery_is_one_line_of_80_columns():
    one = DeadListed(NOW, "delivery", 123, "acme", LONGEST, "deliver", "refused")
    out = io.StringIO()
    dead._list(Console(file=out, width=80, color_system=None), [one])

    assert len(out.getvalue().splitlines()) == 2


def test_times_leave_out_the_year_and_durations_choose_their_unit():
    assert (moment(NOW), moment(None)) == ("03-02 16:46:40", "")
    assert (took(259_400), took(2_500_000), took(None)) == ("259 ms", "2.5 s", "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_sentence_in_the_help_of_a_group_is_cut_off(name):
    group = main.get_command(click.Context(main), name)
    if isinstance(group, click.Group):
        commands = group.get_help(click.Context(group, info_name=name, terminal_width=80)).partition("Commands:")[2]

        assert "..." not in commands
