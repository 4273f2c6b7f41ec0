"""Which person an identify call is about and what it may change; silent outcomes go to the activity log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.customerio.activity import (
    DROPPED_CIO_ID,
    FAILED_CHANGE,
    STALE_ATTRIBUTE,
    TOO_MANY_ATTRIBUTES,
    UPDATE_FAILURE,
)
from sandbox.customerio.limits import ATTRIBUTES
from sandbox.customerio.people import Identifier, Person, looks_like_email
from sandbox.customerio.tracking import link_anonymous
from sandbox.customerio.validation import STEERING_KEYS
from sandbox.customerio.workspace import CallContext

_IDENTIFYING = ("email", "id")
_NOT_HELD = STEERING_KEYS | set(_IDENTIFYING) | {"cio_id"}


@dataclass(frozen=True, slots=True)
class Change:
    """Attributes of a person, and when they were valid (Unix seconds)."""

    attributes: Mapping[str, Any]
    as_of: int
    update_only: bool = False


def identify(visit: CallContext, who: Identifier, change: Change) -> Person | None:
    """Find or create the person, give it the identifiers it claims and write its attributes."""
    claims = _collect_claims(visit, who, change.attributes)
    if visit.is_blocked(who, *claims):
        return None
    person = visit.workspace.people.find(who) or _adopt_or_create(visit, who, claims, change)
    if person is None:
        return None
    for claim in claims:
        _claim(visit, person, who, claim)
    _write(visit, person, change)
    link_anonymous(visit, person, change.attributes.get("anonymous_id"))
    return person


def _collect_claims(visit: CallContext, who: Identifier, attributes: Mapping[str, Any]) -> list[Identifier]:
    claims = []
    for kind in _IDENTIFYING:
        value = attributes.get(kind)
        if value is None:
            continue
        if str(value) == "" or (kind == "email" and not looks_like_email(str(value))):
            visit.note(UPDATE_FAILURE, who, f"{kind} is not a valid identifier")
            continue
        claims.append(Identifier(kind, str(value)))
    return claims


def _adopt_or_create(visit: CallContext, who: Identifier, claims: list[Identifier], change: Change) -> Person | None:
    if who.kind == "cio_id":
        visit.note(DROPPED_CIO_ID, who)
        return None
    people = visit.workspace.people
    known = next(filter(None, map(people.find, claims)), None)
    if known is not None:
        # A new id with the address of an existing person updates that person, who gets the id.
        if who.kind in known.identifiers:
            visit.note(UPDATE_FAILURE, who, f"the person with the claimed address already has another {who.kind}")
            return None
        people.give(known, who)
        return known
    if change.update_only:
        visit.note(FAILED_CHANGE, who, "update only, and the person does not exist")
        return None
    return people.create(who)


def _claim(visit: CallContext, person: Person, who: Identifier, claim: Identifier) -> None:
    owner = visit.workspace.people.find(claim)
    if owner is person:
        return
    if owner is not None:
        visit.note(UPDATE_FAILURE, who, f"{claim.kind} belongs to another person")
    elif claim.kind not in person.identifiers or _may_replace(visit, who, claim):
        visit.workspace.people.give(person, claim)
    else:
        visit.note(UPDATE_FAILURE, who, f"{claim.kind} is already set")


def _may_replace(visit: CallContext, who: Identifier, claim: Identifier) -> bool:
    if who.kind == "cio_id":
        return True
    return claim.kind == "email" and who.kind == "id" and visit.switches.allow_email_update


def _write(visit: CallContext, person: Person, change: Change) -> None:
    for name, value in change.attributes.items():
        if name in _NOT_HELD:
            continue
        if person.written.get(name, change.as_of) > change.as_of:
            visit.note(STALE_ATTRIBUTE, person.cio_id, name)
        elif name not in person.attributes and len(person.attributes) >= ATTRIBUTES:
            visit.note(TOO_MANY_ATTRIBUTES, person.cio_id, name)
        else:
            person.attributes[name] = value
            person.written[name] = change.as_of
