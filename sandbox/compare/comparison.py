"""The comparison itself, event by event: what should have arrived against what did."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.compare.order import count_out_of_order
from sandbox.compare.people import check_people
from sandbox.compare.profiles import Profiles
from sandbox.compare.report import Difference, Report
from sandbox.compare.truth import RENEWAL_EVENT, EventRecord, Recipient, Scope, mark_repaired, read_happenings


class Key(NamedTuple):
    """What makes two tellings of an event the same: for whom, which, and about what."""

    person: str
    event: str
    subject_id: str


@dataclass(slots=True)
class Tally:
    """How often one key is promised, possible beyond that, and arrived."""

    promised: list[int] = field(default_factory=list)
    unpromised: int = 0
    arrived: int = 0
    repeats: int = 0


def compare(
    truth: Mapping[str, Any],
    people: Iterable[Mapping[str, Any]],
    *,
    forward_also: Collection[str] = (),
    forward_tests: bool = False,
    repaired: Collection[str] = (),
) -> Report:
    """Compare a store's truth with the people of a Customer.io, both as their control paths give them.

    Happenings of the `repaired` events must have arrived even if their hooks were lost.
    """
    scope = Scope(forward_also, forward_tests)
    happenings, profiles = mark_repaired(read_happenings(truth), repaired), Profiles(people)
    told = [happening for happening in happenings if scope.includes(happening)]

    report = Report()
    for key, tally in _tally(told, profiles).items():
        _report_difference(report, key, tally)
    report.people = len(profiles)
    check_people(report, truth, [happening for happening in told if happening.is_promised], happenings, profiles)
    report.out_of_order = count_out_of_order(told, profiles)
    return report


def get_comparison_name(profiles: Profiles, party: Recipient) -> str:
    """Return by what name a party's events are compared: the profile's, or its own if there is none."""
    profile = profiles.of(party)
    return profile.cio_id if profile else party.name


def _tally(told: list[EventRecord], profiles: Profiles) -> Mapping[Key, Tally]:
    tallies: dict[Key, Tally] = defaultdict(Tally)
    for happening in told:
        for party, _ in happening.parties:
            tally = tallies[Key(get_comparison_name(profiles, party), happening.event, happening.subject_id)]
            if happening.is_promised:
                tally.promised.append(happening.n)
            else:
                tally.unpromised += 1
    for profile in profiles:
        periods: Counter[tuple[Key, Any]] = Counter()
        for event in profile.events:
            key = Key(profile.cio_id, event["name"], str(event["data"].get("subject_id")))
            tallies[key].arrived += 1
            period = _get_period(event)
            periods[key, period] += 1
            if period is not None and periods[key, period] > 1:
                tallies[key].repeats += 1
    return tallies


def _get_period(event: Mapping[str, Any]) -> str | None:
    """Return what tells two renewals of one subscription apart."""
    subscription = event["data"].get("subscription")
    if event["name"] != RENEWAL_EVENT or not isinstance(subscription, Mapping):
        return None
    end_date = subscription.get("end_date")
    return None if end_date is None else str(end_date)


def _report_difference(report: Report, key: Key, tally: Tally) -> None:
    expected, distinct = len(tally.promised), tally.arrived - tally.repeats
    surplus = max(0, distinct - expected)
    # A hook that was lost or refused may yet arrive by repair; nobody promised it and nobody minds.
    unpromised = min(surplus, tally.unpromised)
    strange = surplus - unpromised
    is_known = bool(expected or tally.unpromised)
    outcome = {
        "missing": max(0, expected - distinct),
        "twice": tally.repeats + (strange if is_known else 0),
        "unexpected": 0 if is_known else strange,
    }
    row = report.count(key.event)
    row.expected += expected
    row.arrived += tally.arrived
    row.unpromised += unpromised
    for kind, count in outcome.items():
        setattr(row, kind, getattr(row, kind) + count)
        if count:
            happenings = tuple(tally.promised)
            report.differences.append(Difference(kind, key.event, key.person, key.subject_id, count, happenings))
