"""Deleting, suppressing and merging people; none of them ever fails, whatever is unknown."""

from sandbox.customerio.activity import MERGE_IGNORED
from sandbox.customerio.people import Identifier, Person
from sandbox.customerio.tracking import recent
from sandbox.customerio.workspace import CallContext


def delete(visit: CallContext, who: Identifier) -> None:
    """Delete a person; a later identify call or event creates a new person."""
    person = visit.workspace.people.find(who)
    if person is not None:
        _forget(visit, person)


def suppress(visit: CallContext, who: Identifier) -> None:
    """Forget a person and block all its identifiers."""
    person = visit.workspace.people.find(who)
    keys = frozenset({who.key, *(name.key for name in person.names())} if person else {who.key})
    if person is not None:
        _forget(visit, person)
    for key in keys:
        visit.workspace.suppressed[key] = keys


def unsuppress(visit: CallContext, who: Identifier) -> None:
    """Lift the block from all identifiers that were blocked together; data does not come back."""
    for key in visit.workspace.suppressed.get(who.key, frozenset()):
        del visit.workspace.suppressed[key]


def merge(visit: CallContext, primary: Identifier, secondary: Identifier) -> None:
    """Merge the secondary into the primary, whose own non-empty attributes win, and delete the secondary."""
    people = visit.workspace.people
    winner, loser = people.find(primary), people.find(secondary)
    if winner is None or loser is None or winner is loser:
        visit.note(MERGE_IGNORED, primary, f"with {secondary}")
        return
    people.remove(loser)
    for kind, value in loser.identifiers.items():
        if kind not in winner.identifiers:
            people.give(winner, Identifier(kind, value))
    for name, value in loser.attributes.items():
        if winner.attributes.get(name) in (None, ""):
            winner.attributes[name] = value
            winner.written[name] = loser.written[name]
    moved = recent(visit, loser.events)
    visit.workspace.event_count -= len(loser.events) - len(moved)
    winner.events = sorted([*winner.events, *moved], key=lambda event: event.received_at)


def _forget(visit: CallContext, person: Person) -> None:
    visit.workspace.people.remove(person)
    visit.workspace.event_count -= len(person.events)
