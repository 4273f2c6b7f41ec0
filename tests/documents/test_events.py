"""docs/events.md says what the event table and the fan-out do."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS, EventRow
from tests.documents.markdown import get_section, parse_samples, parse_tables, read_document
from tests.documents.samples import BODIES, build_payloads

PAGE = "docs/events.md"
NOTE_MODULES = (
    "pipeline/core/consent.py",
    *("pipeline/events/notes.py", "pipeline/fan_out/plan.py", "pipeline/recording/events.py"),
    "pipeline/redaction/body.py",
)
ROLES = {"customer": "the customer's copy", "gift_recipient": "the gift recipient's copy"}


def row_for(row: EventRow) -> list[str]:
    """The event's line of the table."""
    same = " and ".join(f"`{name}`" for name in row.identity)
    same = (
        f"the {row.subject}'s {same}{' within a day' if row.is_windowed else ''}"
        if same
        else "the same body within a day"
    )
    recipients = (["customer"] if row.buyer else []) + (["gift recipient"] if row.gift_copy else [])
    forwarded = "yes" if row.forwarded else "no"
    return [f"`{row.name}`", row.description, same, forwarded, ", ".join(recipients) or "no person"]


def test_the_page_describes_every_event_as_the_table_does():
    assert parse_tables(read_document(PAGE))[0] == [row_for(row) for row in EVENTS.values()]


@pytest.mark.parametrize("event", BODIES)
def test_a_sample_is_what_a_platform_gets(event):
    shown = parse_samples(read_document(PAGE))

    assert {role: shown[f"{event}: {ROLES[role]}"] for role in build_payloads(event)} == build_payloads(event)


def test_every_note_about_people_is_explained():
    explained = {row[0].strip("`") for row in parse_tables(get_section(read_document(PAGE), "## Gifts"))[0]}
    written = "".join(map(read_document, NOTE_MODULES))

    assert {code for code in explained if f'"{code}"' not in written} == set()
