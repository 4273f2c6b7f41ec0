"""Whether every person has a single profile with the right address, and receives nothing private of another person."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sandbox.compare.privacy import Giver, find_leaks
from sandbox.compare.profiles import Profile, Profiles
from sandbox.compare.report import Report, WrongPerson
from sandbox.compare.truth import EventRecord, Recipient, fold
from sandbox.compare.withholding import Withholding

Truth = Mapping[str, Any]


def check_people(
    report: Report,
    truth: Truth,
    promised: list[EventRecord],
    records: list[EventRecord],
    profiles: Profiles,
    withholding: Withholding,
) -> None:
    """Add every person whose profile contradicts the truth to the report."""
    customers = {str(row["customer_id"]): row for row in truth["people"]}
    due = [party for record in promised for party in withholding.due_parties(record)]
    parties = {party.who: party.is_recipient for party in due}
    recipients = {party.who for party in due if party.is_recipient}

    wrong = _find_wrong_customers(parties, customers, profiles) + _find_wrong_recipients(recipients, profiles)
    wrong += _find_unexpected_people(customers, records, profiles)
    wrong += [
        WrongPerson(profile.cio_id, "unsubscribed is set")
        for profile in profiles
        if "unsubscribed" in profile.attributes
    ]
    wrong += _find_privacy_leaks(promised, customers, profiles)
    report.wrong_people += wrong
    report.gift_recipients = sum(_is_marked(profile) for profile in map(profiles.of, recipients) if profile)


def _find_wrong_customers(
    parties: Mapping[Recipient, bool], customers: Mapping[str, Truth], profiles: Profiles
) -> list[WrongPerson]:
    # A customer may have had several addresses; the last in a hook is as right as the present address in the store.
    addresses_by_person: dict[str, list[Recipient]] = defaultdict(list)
    for party in parties:
        addresses_by_person[party.customer_id or party.email].append(party)
    wrong = []
    for addresses in addresses_by_person.values():
        latest = addresses[-1]
        right = {latest.email, fold(customers.get(latest.customer_id or "", {}).get("email"))} - {""}
        found = {profile.cio_id: profile for party in addresses for profile in profiles.matches(party)}
        wrong += [WrongPerson(latest.name, why) for why in _describe_faults(list(found.values()), right)]
    return wrong


def _describe_faults(found: list[Profile], right: set[str]) -> list[str]:
    if not found:
        return ["is not there"]
    if len(found) > 1:
        return [f"is there {len(found)} times"]
    return ["has another e-mail address"] if right and found[0].email not in right else []


def _find_wrong_recipients(recipients: set[Recipient], profiles: Profiles) -> list[WrongPerson]:
    found = [profile for profile in map(profiles.of, recipients) if profile]
    return [WrongPerson(profile.cio_id, "gift_recipient is not true") for profile in found if not _is_marked(profile)]


def _is_marked(profile: Profile) -> bool:
    return profile.attributes.get("gift_recipient") is True


def _find_unexpected_people(
    customers: Mapping[str, Truth], records: list[EventRecord], profiles: Profiles
) -> list[WrongPerson]:
    known = {Recipient(customer_id, fold(row.get("email"))) for customer_id, row in customers.items()}
    known |= {party for record in records for party in (record.person, record.recipient) if party}
    expected = {profile.cio_id for party in known for profile in profiles.matches(party)}
    return [WrongPerson(profile.cio_id, "is no one we know") for profile in profiles if profile.cio_id not in expected]


def _find_privacy_leaks(
    promised: list[EventRecord], customers: Mapping[str, Truth], profiles: Profiles
) -> list[WrongPerson]:
    givers: dict[tuple[str, str, str], Giver | None] = {}
    for record in promised:
        for party, is_recipient in record.parties:
            profile = profiles.of(party)
            if profile is not None:
                key = (profile.cio_id, record.event, record.subject_id)
                # A recipient who is also the buyer of the same order may see everything.
                givers[key] = _find_giver(record, customers) if is_recipient and givers.get(key, True) else None
    return [
        WrongPerson(profile.cio_id, f"{event['name']} {event['data'].get('subject_id')} reveals {secret}")
        for profile in profiles
        for event in profile.events
        if (giver := givers.get((profile.cio_id, event["name"], str(event["data"].get("subject_id"))))) is not None
        for secret in find_leaks(event["data"], giver, str(profile.attributes.get("last_name") or ""))
    ]


def _find_giver(record: EventRecord, customers: Mapping[str, Truth]) -> Giver:
    if record.person is None:
        return Giver("", "")
    row = customers.get(record.person.customer_id or "", {})
    return Giver(record.person.email, str(row.get("last_name") or ""))
