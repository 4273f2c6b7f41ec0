"""The notes on events, in words."""

from __future__ import annotations

import pytest

from pipeline.events.notes import NOTE_TEXTS, describe_note
from tests.documents.markdown import get_section, parse_tables, read_document


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (
            {"code": "field_set_aside", "field": "total", "reason": "is not an amount (3495 or 34.95)"},
            "the field total was left out: it is not an amount (3495 or 34.95)",
        ),
        ({"code": "field_set_aside", "more": 950}, "950 more fields were left out"),
        ({"code": "no_email", "role": "gift_recipient"}, "no address is known of the gift recipient"),
        ({"code": "of_another_release", "x": 1}, "of_another_release"),
        ({"code": "no_email"}, "no_email"),
        ({"code": "erased", "part": "whole"}, "a person was erased from this event (all of it)"),
        ({"code": "erased", "part": "recipient"}, "a person was erased from this event (the gift recipient)"),
    ],
)
def test_a_note_is_said_in_words(note, words):
    assert describe_note(note) == words


def test_the_page_explains_every_note():
    explained = {row[0].strip("`") for row in parse_tables(get_section(read_document("docs/events.md"), "## Gifts"))[0]}

    assert explained == NOTE_TEXTS.keys() - {"field_set_aside"}
