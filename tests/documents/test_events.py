"""docs/events.md says what the event table and the fan-out do."""

from __future__ import annotations

import pytest

from pipeline.events.table import EVENTS, EventRow
from tests.documents.reading import part_of, samples_of, tables_of, text_of
from tests.documents.samples import BODIES, copies_of

PAGE = "docs/events.md"
ROLES = {"customer": "the customer's copy", "gift_recipient": "the gift recipient's copy"}


def row_for(row: EventRow) -> list[str]:
    """The event's line of the table."""
    same = " and ".join(f"`{name}`" for name in row.identity)
    same = (
        f"the {row.subject}'s {same}{' within a day' if row.windowed else ''}" if same else "the same body within a day"
    )
    hears = (["customer"] if row.buyer else []) + (["gift recipient"] if row.gift_copy else [])
    forwarded = "yes" if row.forwarded else "no"
    return [f"`{row.name}`", row.description, same, forwarded, ", ".join(hears) or "nobody"]


def test_the_page_describes_every_event_as_the_table_does():
    assert tables_of(text_of(PAGE))[0] == [row_for(row) for row in EVENTS.values()]


@pytest.mark.parametrize("event", BODIES)
def test_a_sample_is_what_a_platform_gets(event):
    shown = samples_of(text_of(PAGE))

    assert {role: shown[f"{event}: {ROLES[role]}"] for role in copies_of(event)} == copies_of(event)


def test_every_note_about_people_is_explained():
    explained = {row[0].strip("`") for row in tables_of(part_of(text_of(PAGE), "## Gifts"))[0]}
    written = text_of("pipeline/fan_out/plan.py") + text_of("pipeline/record/events.py")

    assert {code for code in explained if f'"{code}"' not in written} == set()
