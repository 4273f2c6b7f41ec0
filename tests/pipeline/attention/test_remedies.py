"""Every cause has its remedy, and every button does something that exists."""

from __future__ import annotations

from pipeline.attention.actions import ACTIONS
from pipeline.attention.causes import CAUSES
from pipeline.attention.remedies import REMEDIES

GROUPS = [
    "nothing arrives",
    "nothing leaves",
    "some cannot leave",
    "Cratejoy's hooks",
    "unreadable",
    "reading the store",
]


def test_every_cause_has_a_row_and_no_row_is_without_a_cause():
    assert list(REMEDIES) == [cause.name for cause in CAUSES]


def test_the_causes_stand_in_the_order_of_their_groups():
    places = [GROUPS.index(REMEDIES[cause.name].group) for cause in CAUSES]

    assert places == sorted(places)


def test_every_row_has_a_button_that_does_something_and_a_command():
    assert [name for name, row in REMEDIES.items() if (row.action is None) == (row.leads_to is None)] == []
    assert [name for name, row in REMEDIES.items() if not row.command.startswith("cratewire ")] == []
    assert {row.action for row in REMEDIES.values()} - {None} == set(ACTIONS)


def test_what_can_start_campaigns_asks_first():
    assert [row.action for row in REMEDIES.values() if row.asks] == ["read_customers"]
