"""What people answered the shop: consent, survey answers and variants, and whether their profiles have them."""

import calendar
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sandbox.compare.leaks import name_person
from sandbox.compare.profiles import Profile, Profiles
from sandbox.compare.report import Offence, Report
from sandbox.compare.truth import EventRecord, Recipient, fold
from sandbox.compare.withholding import Withholding

SURVEY_PREFIX, VARIANT_PREFIX = "survey_", "variant_"
MAX_ANSWER_BYTES = 1_000
MIN_CUT_SHARE = 0.9  # of what a platform takes
DATE_FIELD = 5

Row = Mapping[str, Any]


class Answer(NamedTuple):
    """The answer to a question: all values that the person gave, in any subscription."""

    field_id: int
    type: int
    values: tuple[str, ...]
    shapes: frozenset[str]


def check_answers(
    report: Report,
    truth: Row,
    records: list[EventRecord],
    withholding: Withholding,
    people: Profiles,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> None:
    """Count what must be in profiles and what is, and name what is missing. `max_bytes`: of a text at the platform."""
    due = _find_due_subscriptions(records, withholding)
    hooked = {party.who for record in records if record.is_promised for party in withholding.due_parties(record)}
    customers = {party.customer_id for party in hooked}
    names: dict[int, set[str]] = defaultdict(set)
    for row in truth["people"]:
        who = Recipient(str(row["customer_id"]) if row.get("customer_id") else None, fold(row.get("email")))
        if not withholding.is_due(row):
            continue
        profile = people.of(who)
        if who.customer_id and who.customer_id in customers:
            _check_consent(report, row, profile)
        for answer in _list_answers(row, due["subscription_new"]):
            found = [] if profile is None else _find_answer(profile, answer, max_bytes)
            _count(report, "survey_answers", row, f"answer to question {answer.field_id}", is_there=bool(found))
            if answer.shapes == {"v1"}:  # only this shape says which question it is
                names[answer.field_id].update(found)
        _check_variants(report, row, profile, due)
        if row.get("asked") and who in hooked:
            _count(report, "asked_recipients", row, "profile", is_there=profile is not None)
    report.offences += _find_mixed_questions(names)


def _count(report: Report, kind: str, row: Row, what: str, *, is_there: bool) -> None:
    counts = report.answers[kind]
    counts.due += 1
    counts.arrived += is_there
    if not is_there:
        report.offences.append(Offence(kind, name_person(row), f"{what} is not there"))


def _find_due_subscriptions(records: list[EventRecord], withholding: Withholding) -> Mapping[str, set[str]]:
    """Return the subscriptions whose buyer must have them, by the event that reported their present variants."""
    found: dict[str, set[str]] = {"subscription_new": set(), "subscription_updated": set()}
    changed: set[str] = set()
    for record in records:
        if record.event in found and not record.is_test:
            changed |= {record.subject_id} if record.event == "subscription_updated" else set()
            is_due = record.is_promised and any(not party.is_recipient for party in withholding.due_parties(record))
            (found[record.event].add if is_due else found[record.event].discard)(record.subject_id)
    found["variants"] = (found["subscription_new"] - changed) | (
        found["subscription_new"] & found["subscription_updated"]
    )
    return found


def _list_answers(row: Row, due: set[str]) -> Iterator[Answer]:
    given: dict[int, list[Row]] = defaultdict(list)
    asked: set[int] = set()
    for survey in row.get("surveys") or ():
        for answer in survey["answers"]:
            if answer["value"]:
                given[answer["field_id"]].append(answer)
                if str(survey["subscription_id"]) in due and not survey["gift"]:
                    asked.add(answer["field_id"])
    for field_id in sorted(asked):
        rows = given[field_id]
        values, shapes = tuple(one["value"] for one in rows), frozenset(one["shape"] for one in rows)
        yield Answer(field_id, rows[0]["type"], values, shapes)


def _find_answer(profile: Profile, answer: Answer, max_bytes: int) -> list[str]:
    """Return the attributes that hold one of the values."""
    return [
        name
        for name, held in profile.attributes.items()
        if name.startswith(SURVEY_PREFIX)
        and any(_holds(held, value, answer.type, max_bytes) for value in answer.values)
    ]


def _holds(held: object, value: str, field_type: int, max_bytes: int) -> bool:
    """Return whether an attribute holds an answer: as text, choices as a list, a date in any form, a long text cut."""
    if isinstance(held, list):
        return sorted(map(str, held)) == sorted(value.split("|"))
    text = " ".join(str(held).split())
    if len(value.encode()) > max_bytes:
        is_cut = MIN_CUT_SHARE * max_bytes <= len(str(held).encode()) <= max_bytes
        return is_cut and " ".join(value.split()).startswith(text.rstrip("… "))
    if field_type == DATE_FIELD:
        return text in _write_date(value)
    return text == " ".join(value.split()) or sorted(re.split(r"\s*[|,]\s*", text)) == sorted(value.split("|"))


def _write_date(value: str) -> Iterable[str]:
    day = datetime.strptime(value, "%m/%d/%Y").replace(tzinfo=UTC)
    iso = day.strftime("%Y-%m-%d")
    return value, iso, f"{iso}T00:00:00Z", str(calendar.timegm(day.utctimetuple()))


def _find_mixed_questions(names: Mapping[int, set[str]]) -> list[Offence]:
    """A question has one attribute, whatever it is called by now, and no two questions share one."""
    fields: dict[str, set[int]] = defaultdict(set)
    for field_id, found in names.items():
        for name in found:
            fields[name].add(field_id)
    mixed = [
        Offence("survey_names", f"question {field_id}", f"has {len(found)} attributes")
        for field_id, found in sorted(names.items())
        if len(found) > 1
    ]
    return mixed + [
        Offence("survey_names", f"question {min(ids)}", f"shares {name} with another question")
        for name, ids in sorted(fields.items())
        if len(ids) > 1
    ]


def _check_variants(report: Report, row: Row, profile: Profile | None, due: Mapping[str, set[str]]) -> None:
    newest = row.get("variants")
    if not newest or newest["gift"] or str(newest["subscription_id"]) not in due["variants"]:
        return
    attributes = profile.attributes if profile else {}
    for name, value in newest["types"].items():
        is_there = attributes.get(VARIANT_PREFIX + name.lower()) == value
        _count(
            report, "variants", row, f"variant {name} of subscription {newest['subscription_id']}", is_there=is_there
        )


def _check_consent(report: Report, row: Row, profile: Profile | None) -> None:
    """A customer who was never asked has no such attribute."""
    wanted, held = row.get("accepts_marketing"), (profile.attributes if profile else {}).get("accepts_marketing")
    if wanted is not None:
        _count(report, "consents", row, "accepts_marketing", is_there=held is wanted)
    elif held is not None:
        report.offences.append(Offence("consents", name_person(row), "accepts_marketing is there, unasked"))
