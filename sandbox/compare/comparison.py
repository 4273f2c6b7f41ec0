"""Compare, event by event, what should have arrived with what did."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.compare.answers import MAX_ANSWER_BYTES, check_answers
from sandbox.compare.leaks import find_leaked_data
from sandbox.compare.order import count_out_of_order
from sandbox.compare.people import check_people
from sandbox.compare.profiles import Profiles
from sandbox.compare.report import LEAK, Difference, Offence, Report
from sandbox.compare.truth import RENEWAL_EVENT, EventRecord, Recipient, Scope, mark_repaired, read_records
from sandbox.compare.withholding import Duty, Withholding


class Key(NamedTuple):
    """Identifies an event at Customer.io: its person, its name and its subject."""

    person: str
    event: str
    subject_id: str


@dataclass(slots=True)
class Tally:
    """How often the event of a key is promised, possible beyond that, never to be sent, and arrived."""

    promised: list[int] = field(default_factory=list)
    unpromised: int = 0
    withheld: int = 0
    arrived: int = 0
    repeats: int = 0


def compare(  # noqa: PLR0913 - what differs between platforms and settings
    truth: Mapping[str, Any],
    people: Iterable[Mapping[str, Any]],
    *,
    forward_also: Collection[str] = (),
    forward_tests: bool = False,
    repaired: Collection[str] = (),
    forwards_marketplace: bool = False,
    max_answer_bytes: int = MAX_ANSWER_BYTES,
) -> Report:
    """Compare the truth of a store with the people of a Customer.io, both as their control paths return them.

    The `repaired` events must have arrived even if their hooks were lost. With `forwards_marketplace` no one known only
    from the store's Marketplace is withheld.
    """
    scope = Scope(forward_also, forward_tests)
    records, profiles = mark_repaired(read_records(truth), repaired), Profiles(people)
    forwarded = [record for record in records if scope.includes(record)]
    withholding = Withholding(truth, records, forwards_all=forwards_marketplace)

    report = Report()
    for key, tally in _tally(forwarded, withholding, profiles).items():
        _report_difference(report, key, tally)
    report.people = len(profiles)
    promised = [record for record in forwarded if record.is_promised]
    check_people(report, truth, promised, records, profiles, withholding)
    report.out_of_order = count_out_of_order(forwarded, profiles, withholding)
    report.withheld_people = len(withholding.people)
    report.undecided_people = sum(map(withholding.is_undecided, truth["people"]))
    known = (row for row in truth["people"] if not row.get("withheld"))
    report.offences += find_leaked_data(withholding.people, known, profiles)
    check_answers(report, truth, forwarded, withholding, profiles, max_answer_bytes)
    return report


def get_comparison_name(profiles: Profiles, party: Recipient) -> str:
    """Return the name under which events are compared: the id of the profile, else the name of the recipient."""
    profile = profiles.of(party)
    return profile.cio_id if profile else party.name


def _tally(forwarded: list[EventRecord], withholding: Withholding, profiles: Profiles) -> Mapping[Key, Tally]:
    tallies: dict[Key, Tally] = defaultdict(Tally)
    for record in forwarded:
        for who, _, duty in withholding.parties(record):
            tally = tallies[Key(get_comparison_name(profiles, who), record.event, record.subject_id)]
            if duty is Duty.NEVER:
                tally.withheld += 1
            elif record.is_promised and duty is Duty.DUE:
                tally.promised.append(record.n)
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
    """Return what distinguishes two renewals of a subscription."""
    subscription = event["data"].get("subscription")
    if event["name"] != RENEWAL_EVENT or not isinstance(subscription, Mapping):
        return None
    end_date = subscription.get("end_date")
    return None if end_date is None else str(end_date)


def _report_difference(report: Report, key: Key, tally: Tally) -> None:
    expected, distinct = len(tally.promised), tally.arrived - tally.repeats
    surplus = max(0, distinct - expected)
    # A hook that was lost or refused may still arrive by repair: that is neither expected nor wrong.
    unpromised = min(surplus, tally.unpromised)
    leaked = min(surplus - unpromised, tally.withheld)
    unexplained = surplus - unpromised - leaked
    is_known = bool(expected or tally.unpromised or tally.withheld)
    outcome = {
        "missing": max(0, expected - distinct),
        "twice": tally.repeats + (unexplained if is_known else 0),
        "unexpected": 0 if is_known else unexplained,
    }
    row = report.count(key.event)
    row.expected += expected
    row.arrived += tally.arrived
    row.unpromised += unpromised
    if leaked:
        report.offences.append(Offence(LEAK, key.person, f"{key.event} of {key.subject_id} was to be withheld"))
    for kind, count in outcome.items():
        setattr(row, kind, getattr(row, kind) + count)
        if count:
            records = tuple(tally.promised)
            report.differences.append(Difference(kind, key.event, key.person, key.subject_id, count, records))
