"""Judges the people of a batch before anything is written about them, and what their copies must leave out.

A person is judged at each event with what is known by then, and at the end of the batch: what is written must be
allowed by both. So an order from Marketplace in a batch withholds the registration before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.core.consent import MARKETPLACE, ORIGIN_UNKNOWN
from pipeline.fan_out.consent import (
    FREE,
    ORIGIN_KINDS,
    ConsentRules,
    Evidence,
    Verdict,
    judge,
    list_unanswered,
)
from pipeline.fan_out.omissions import NOTHING_OMITTED, Omissions, find_gifts_in
from pipeline.fan_out.plan import AffectedPerson
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.snapshot import RecordingStore
from schemas.email import is_email

Rules = Mapping[int, ConsentRules]  # by store id


def learn_sources(candidates: Iterable[EventCandidate]) -> dict[int, set[str]]:
    """The sources that these candidates show and that are on none of their store's lists, by store id."""
    learned: defaultdict[int, set[str]] = defaultdict(set)
    for candidate in candidates:
        found = {source for affected in candidate.people for source in list_sources(affected)}
        if found:
            learned[candidate.store.id] |= list_unanswered(found, candidate.store.consent)
    return {store_id: sources for store_id, sources in learned.items() if sources}


def list_sources(affected: AffectedPerson) -> list[str]:
    """The sources of the orders, subscriptions and gifts by which an event names a person."""
    return [fact.fields["source"] for fact in affected.facts if fact.kind in ORIGIN_KINDS and "source" in fact.fields]


def build_rules(stores: Iterable[RecordingStore], learned: Mapping[int, set[str]]) -> dict[int, ConsentRules]:
    """The rules of these stores, with the sources that this batch has shown."""
    return {
        store.id: replace(store.consent, met_sources=store.consent.met_sources | learned.get(store.id, set()))
        for store in stores
    }


def note_gifts(candidates: Iterable[EventCandidate], rules: Rules) -> None:
    """Note the gifts that each body names: their recipients may be withheld, whatever the event is about."""
    for candidate in candidates:
        if rules[candidate.store.id].may_withhold:
            gift = candidate.plan.gift if candidate.plan else None
            gifts = [*([gift] if gift else ()), *(candidate.plan.known_gifts if candidate.plan else ())]
            known = [(found.email if is_email(found.email) else None, found.source) for found in gifts]
            shown = find_gifts_in(candidate.data, gift.source if gift else None)
            candidate.named_gifts = [*shown, *known]


def judge_candidates(candidates: Sequence[EventCandidate], people: PersonResolver, rules: Rules) -> None:
    """Give every candidate its verdicts and what its copies leave out, and every person their verdict."""
    strict = [candidate for candidate in candidates if rules[candidate.store.id].may_withhold]
    for candidate in candidates:
        if not rules[candidate.store.id].may_withhold:
            for _, person in candidate.resolved_people:
                person.note_verdict(None)
    evidences = _judge_moments(strict, rules)
    by_id = {id(person): person for candidate in strict for _, person in candidate.resolved_people}
    final = {key: judge_person(person, evidences[key], rules) for key, person in by_id.items()}
    never_waited = _find_marketplace_people(strict)
    for candidate in strict:
        candidate.verdicts = [
            _combine(candidate, affected, verdict, final[id(person)], may_have_waited=id(person) not in never_waited)
            for affected, person, verdict in candidate.judged_people
        ]
    for candidate in strict:
        candidate.omissions = find_omissions(candidate, people, rules[candidate.store.id])


def _judge_moments(candidates: Iterable[EventCandidate], rules: Rules) -> dict[int, Evidence]:
    """Judge the people at each event, with what is known by then; returns what is known in the end, by `id(person)`."""
    evidences: dict[int, Evidence] = {}
    for candidate in candidates:
        for affected, person in candidate.resolved_people:
            evidence = evidences.get(id(person))
            if evidence is None:
                evidence = evidences[id(person)] = person.collect_evidence()
            for fact in affected.facts:
                evidence.add(fact.kind, fact.subject, fact.fields, fact.fields.get("source"))
            is_customer = person.customer_id is not None
            candidate.verdicts.append(judge(evidence, rules[candidate.store.id], is_customer=is_customer))
    return evidences


def _find_marketplace_people(candidates: Iterable[EventCandidate]) -> set[int]:
    """The people, by `id(person)`, who are or were known as Marketplace customers: their events did not only wait."""
    return {
        id(person)
        for candidate in candidates
        for _, person, verdict in candidate.judged_people
        if MARKETPLACE in (person.was_withheld, verdict.reason) or verdict.hides_address
    }


def _combine(
    candidate: EventCandidate, affected: AffectedPerson, at_event: Verdict, final: Verdict, *, may_have_waited: bool
) -> Verdict:
    """The verdict on one person at one event. Within a batch an event need not wait for what follows it."""
    if final != FREE:
        return final
    only_waited = may_have_waited and at_event.reason == ORIGIN_UNKNOWN
    origins = {candidate.store.consent.find_origin(source) for source in list_sources(affected)}
    return FREE if only_waited and origins <= {"storefront"} else at_event


def judge_person(person: PersonDraft, evidence: Evidence, rules: Rules) -> Verdict:
    """The verdict on a person as of now, which is noted in the person."""
    verdict = judge(evidence, rules[person.store.id], is_customer=person.customer_id is not None)
    person.note_verdict(verdict.reason)
    person.hides_address = verdict.hides_address
    return verdict


def find_omissions(candidate: EventCandidate, people: PersonResolver, rules: ConsentRules) -> Omissions:
    """What this event's copies leave out, because it is of a person who is withheld.

    Whatever names a gift of Marketplace is left out, even if its giver and its recipient are known from elsewhere.
    """
    if not candidate.named_gifts:
        return NOTHING_OMITTED
    is_protected = any(rules.protects(source) for _, source in candidate.named_gifts)
    named = (people.get(candidate.store.id, email) for email, _ in candidate.named_gifts if email)
    is_recipient_withheld = rules.gift_recipients == "withhold" or any(
        person and _is_held_back(person, rules) for person in named
    )
    giver = candidate.giver and people.look_up(candidate.store, candidate.giver)
    is_giver_withheld = bool(giver and giver.withheld) or any(
        verdict.reason is not None
        for verdict, (affected, _) in zip(candidate.verdicts, candidate.resolved_people, strict=True)
        if affected.role == "customer"
    )
    return Omissions(is_protected or is_recipient_withheld, is_protected or is_giver_withheld)


def _is_held_back(person: PersonDraft, rules: ConsentRules) -> bool:
    """Whether a person is withheld, or their address is."""
    if person.hides_address is None and rules.marketplace_policy == "profile_without_address":
        evidence = person.collect_evidence()
        person.hides_address = judge(evidence, rules, is_customer=person.customer_id is not None).hides_address
    return bool(person.withheld or person.hides_address)
