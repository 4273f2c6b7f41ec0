"""The people of one batch: found by customer id, address or what is theirs, added if new, and merged with new facts.

A body may name only an order: then it concerns the customer whom an earlier hook named for that order. A customer id
and every address ever seen with it lead to the same person for ever. So a gift recipient who later registers with the
same address becomes that customer, and two accounts with one address are one person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.core.consent import WithheldReason
from pipeline.events.search_terms import KINDS_WITH_NAMES, read_names
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import Evidence, collect_evidence
from pipeline.fan_out.facts import Fact, KnownFacts, merge_fact, newest_time_us
from pipeline.fan_out.plan import AffectedPerson
from pipeline.fan_out.rest import NO_REST, Rest
from pipeline.fan_out.rollup import MIN_FACTS, FactKey, Rollup, roll_up
from pipeline.recording.snapshot import RecordingStore

PersonKey = tuple[int, str, str]  # (store id, "customer" | "email" | "order" | "subscription" | "shipment", value)


class ChangeOrigin(Protocol):
    """What changes a person's attributes: an event, which has its id once it is written, or an object of the API."""

    event_id: int


@dataclass(frozen=True, slots=True)
class AttributeChangeDraft:
    """A change of a person's attributes that is not written yet. `before`: the values that it replaced."""

    origin: ChangeOrigin
    at: int  # µs
    before: dict[str, Any]


@dataclass(slots=True)
class PersonDraft:
    """A person while a batch is recorded."""

    store: RecordingStore
    customer_id: int | None
    email: str | None
    id: int = 0  # 0 until written
    attributes: dict[str, Any] = field(default_factory=dict)
    known: KnownFacts = field(default_factory=dict)  # all facts, or those that this batch needs
    rest: Rest = NO_REST  # of the facts that are not loaded
    can_note: frozenset[FactKey] = frozenset()  # facts that are loaded if they exist, where not all are
    unsent_since: int | None = None  # µs, of the oldest fact that no profile contains; the column `untold_since`
    has_profile_at: set[int] = field(default_factory=set)  # ids of connections that have a profile, or one pending
    changed_facts: set[tuple[str, str]] = field(default_factory=set)
    is_new: bool = False  # not in the ledger before this batch
    is_changed: bool = False
    newest: int | None = None  # µs of the newest fact, computed on demand
    withheld: WithheldReason | None = None  # why no message about them is written
    was_withheld: WithheldReason | None = None  # the same before this batch
    attribute_changes: list[AttributeChangeDraft] = field(default_factory=list)
    new_names: set[str] = field(default_factory=set)  # that the search does not know yet
    hides_address: bool | None = None  # whether their messages hold no address; None until they are judged

    def note(self, facts: Iterable[Fact], as_of: int) -> None:
        """Merge facts without computing attributes: the next event or sweep sends the profile.

        Raises LookupError for a fact that may be known already and was not loaded.
        """
        for fact in facts:
            if self.rest is not NO_REST and (fact.kind, fact.subject) not in self.can_note:
                raise LookupError(f"the fact {fact.kind} {fact.subject} of person {self.id} was not loaded")
            names = self._read_names(fact) if fact.kind in KINDS_WITH_NAMES else ()
            if merge_fact(self.known, fact, as_of):
                self.changed_facts.add((fact.kind, fact.subject))
                if fact.kind in KINDS_WITH_NAMES and (now := self._read_names(fact)) != names:
                    self.new_names.update(now)
                self.unsent_since = self.unsent_since or as_of
                self.newest = None if self.newest is None else max(self.newest, as_of)

    def _read_names(self, fact: Fact) -> tuple[str, ...]:
        """The names that are known from the same fact."""
        return read_names(fact.kind, self.known.get((fact.kind, fact.subject), {}))

    def note_verdict(self, reason: WithheldReason | None) -> None:
        """Note whether the person is withheld. One who no longer is gets a whole profile, wherever they had one."""
        if reason != self.withheld:
            self.withheld, self.is_changed = reason, True
        if reason is None and self.was_withheld is not None:
            self.has_profile_at.clear()

    def update_attributes(self, facts: Iterable[Fact], as_of: int, origin: ChangeOrigin) -> dict[str, Any] | None:
        """Merge facts and recompute the attributes; `origin` is noted with what changes.

        Returns None if they stay the same, else all of them, with None for every attribute that is to be cleared.
        """
        self.note(facts, as_of)
        self.is_changed = self.is_changed or self.unsent_since is not None
        self.unsent_since = None
        store = self.store
        attributes = build_attributes(self.known, store.name, store.currency, store.consent, self.rest)
        self.email = attributes.get("email") or self.email
        if self.email is not None:
            attributes["email"] = self.email
        if attributes == self.attributes:
            return None
        cleared = dict.fromkeys(self.attributes.keys() - attributes.keys())
        self.attribute_changes.append(AttributeChangeDraft(origin, as_of, _find_replaced(self.attributes, attributes)))
        self.attributes, self.is_changed = attributes, True
        return attributes | cleared

    @property
    def known_at(self) -> int:
        """µs of the newest fact. Facts are only ever replaced by newer ones, so it is computed once."""
        if self.newest is None:
            self.newest = max(newest_time_us(self.known), self.rest.newest)
        return self.newest

    def collect_evidence(self) -> Evidence:
        """What the person is known from."""
        return collect_evidence(self.known, self.rest)

    def roll_up(self) -> Rollup | None:
        """What to store so that the next hook need not load all facts; None for a person who has few.

        What is stored already holds as long as no fact changes.
        """
        if not self.changed_facts or (self.rest is NO_REST and len(self.known) < MIN_FACTS):
            return None
        return roll_up(self.known, self.rest)


def _find_replaced(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The values before of what differs, None where there was none; nothing for the first attributes of a person."""
    if not before:
        return {}
    return {name: before.get(name) for name in {**before, **after} if before.get(name) != after.get(name)}


def build_person_keys(store_id: int, affected: AffectedPerson) -> list[PersonKey]:
    """The keys that lead to a person, the surest first."""
    keys: list[PersonKey] = []
    if affected.customer_id is not None:
        keys.append((store_id, "customer", str(affected.customer_id)))
    if affected.email is not None:
        keys.append((store_id, "email", affected.email))
    return [*keys, *((store_id, kind, str(number)) for kind, number in affected.subjects)]


class PersonResolver:
    """Finds or adds the people of one batch. Holds each person once, whatever key leads to them."""

    def __init__(self, known: Mapping[PersonKey, PersonDraft]) -> None:
        self._by_key = dict(known)
        self.new_keys: dict[PersonKey, PersonDraft] = {}
        self.new_people: list[PersonDraft] = []
        self.newly_identified: list[PersonDraft] = []  # known by address alone until now

    def find(self, store: RecordingStore, affected: AffectedPerson) -> PersonDraft | None:
        """The person whom these keys lead to, a new one if they are unknown; None if the body names no person."""
        keys = build_person_keys(store.id, affected)
        person = next((self._by_key[key] for key in keys if key in self._by_key), None)
        if person is None:
            if affected.customer_id is None and affected.email is None:
                return None
            person = PersonDraft(store, affected.customer_id, affected.email, is_new=True)
            self.new_people.append(person)
        if affected.customer_id is not None and person.customer_id is None:
            person.customer_id, person.is_changed = affected.customer_id, True
            self.newly_identified.append(person)
        person.email = person.email or affected.email
        for key in keys:
            if key not in self._by_key:
                self._by_key[key] = self.new_keys[key] = person
        return person

    def look_up(self, store: RecordingStore, affected: AffectedPerson) -> PersonDraft | None:
        """The person whom these keys lead to, if this batch has them."""
        keys = build_person_keys(store.id, affected)
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    def get(self, store_id: int, email: str) -> PersonDraft | None:
        """The person with this address, if this batch has them."""
        return self._by_key.get((store_id, "email", email))

    @property
    def people(self) -> list[PersonDraft]:
        """All people of the batch, the oldest first; new people, whose ids are 0, before all until they are written."""
        unique = {id(person): person for person in self._by_key.values()}
        return sorted(unique.values(), key=lambda person: person.id)
