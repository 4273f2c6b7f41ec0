"""Plans what is sent about a person who was withheld and no longer is: events of which their copy was withheld.

An event waited if it was withheld because the person's origin was unknown. It is sent once it turns out that the person
is of the storefront, and the event too. What was withheld because it was of Marketplace stays so, unless the person is
released by a decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.core.consent import ORIGIN_UNKNOWN
from pipeline.core.hooks import Role
from pipeline.fan_out.consent import FREE, ConsentRules
from pipeline.fan_out.plan import AffectedPerson
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.consent import Rules, find_omissions, list_sources, note_gifts
from pipeline.recording.gifts import GiftIndex
from pipeline.recording.people import PersonDraft, PersonResolver


@dataclass(frozen=True, slots=True)
class WithheldCopy:
    """A recorded event, not planned yet, of which one person's copy was withheld."""

    candidate: EventCandidate
    person: PersonDraft
    role: Role


def find_freed_people(people: PersonResolver) -> list[PersonDraft]:
    """The people whose origin was unknown, and who turned out to be of the storefront."""
    waited = (person for person in people.people if person.was_withheld == ORIGIN_UNKNOWN and person.withheld is None)
    return [person for person in waited if not person.hides_address]


def plan_withheld_copies(
    copies: Iterable[WithheldCopy], gifts: GiftIndex, rules: Rules, *, only_storefront: bool
) -> list[EventCandidate]:
    """Candidates planned for the one person each, in the order of their events. They need their omissions still."""
    planned = [
        candidate
        for copy in copies
        if (candidate := _plan_copy(copy, gifts, rules[copy.person.store.id], only_storefront=only_storefront))
    ]
    note_gifts(planned, rules)
    return sorted(planned, key=lambda candidate: candidate.event_id)


def note_omissions(candidates: Iterable[EventCandidate], named: PersonResolver, rules: Rules) -> None:
    """Find what the copies leave out; `named` has the people whom their gifts name."""
    for candidate in candidates:
        candidate.omissions = find_omissions(candidate, named, rules[candidate.store.id])


def _list_known(affected: AffectedPerson, person: PersonDraft) -> list[str]:
    """The sources of what the event names, as known by now: its own body may lack them."""
    known = (person.known.get((fact.kind, fact.subject), {}).get("source") for fact in affected.facts)
    return [*list_sources(affected), *(pair[1] for pair in known if pair)]


def _plan_copy(
    copy: WithheldCopy, gifts: GiftIndex, rules: ConsentRules, *, only_storefront: bool
) -> EventCandidate | None:
    candidate, person = copy.candidate, copy.person
    plan = candidate.build_plan(gifts.of(candidate.store.id))
    affected = next((found for found in plan.people if found.role == copy.role), None)
    if affected is None or (copy.role == "gift_recipient" and affected.email != person.email):
        return None  # the gift has another recipient by now
    if only_storefront and any(rules.find_origin(source) != "storefront" for source in _list_known(affected, person)):
        return None
    candidate.plan = replace(plan, people=(affected,))
    candidate.giver = next((found for found in plan.people if found.role == "customer" != affected.role), None)
    candidate.resolved_people, candidate.verdicts = [(affected, person)], [FREE]
    return candidate
