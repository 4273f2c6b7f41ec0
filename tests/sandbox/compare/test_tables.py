"""The tables show what strangers wrote as it stands: it formats nothing, and gives the terminal no orders."""

import io

import pytest
from rich.console import Console

from sandbox.compare.report import Difference, EventCount, Report, WrongPerson
from sandbox.compare.tables import print_report


def shown(text: str) -> str:
    """A report in which everything a stranger may have written is this."""
    report = Report(
        events={text: EventCount(expected=1, missing=1)},
        people=1,
        wrong_people=[WrongPerson(text, text)],
        differences=[Difference("missing", text, text, text, 1)],
    )
    out = io.StringIO()
    print_report(Console(file=out, width=200, force_terminal=True, color_system="truecolor"), report)
    return out.getvalue()


@pytest.mark.parametrize(
    "text", ["[bold]Jane[/bold]", "Jane [/x]", ":smile:", "[link=https://evil.example]Jane[/link]"]
)
def test_what_looks_like_markup_is_shown_as_it_is(text):
    assert shown(text).count(text) == 6


@pytest.mark.parametrize(("text", "seen"), [("\x1b[2J", "\\x1b[2J"), ("a\rb", "a\\rb"), ("a\u202eb", "a\\u202eb")])
def test_what_a_terminal_would_obey_is_only_shown(text, seen):
    assert text not in shown(text)
    assert shown(text).count(seen) == 6


def test_what_is_missing_is_red():
    assert "\x1b[31m1\x1b[0m" in shown("order_new")
