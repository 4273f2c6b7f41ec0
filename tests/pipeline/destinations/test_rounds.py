"""Two rounds of calls keep a person's first profile before that person's events."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.messages import Message
from pipeline.destinations.rounds import split_rounds
from tests.contracts.messages import event, person, profile

ALICE, BOB = person(1), person(2)


@dataclass
class Carrier:
    message: Message


def rounds(*messages):
    return [[item.message.delivery_id for item in part] for part in split_rounds([Carrier(one) for one in messages])]


def test_events_of_known_people_need_one_round():
    assert rounds(profile(1, ALICE), event(2, ALICE), event(3, BOB)) == [[1, 2, 3]]


def test_an_event_waits_for_the_first_profile_and_all_behind_it_waits_too():
    new = {"has_profile": False}

    assert rounds(
        profile(1, ALICE, **new), event(2, ALICE, **new), profile(3, ALICE, **new), event(4, BOB), profile(5, BOB)
    ) == [[1, 4, 5], [2, 3]]


def test_nothing_makes_no_round():
    assert rounds() == []
