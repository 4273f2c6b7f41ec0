"""Check and perform an operation of Track v2."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.customerio import removal
from sandbox.customerio.activity import NOT_HELD
from sandbox.customerio.checked_only import OTHER_CHECKS, PERSON_CHECKS
from sandbox.customerio.http_messages import Json
from sandbox.customerio.identity import Change, identify
from sandbox.customerio.limits import ITEM_BYTES, json_bytes
from sandbox.customerio.people import Identifier, Person, only_identifier
from sandbox.customerio.tracking import UnknownPerson, new_event, track, track_anonymous
from sandbox.customerio.validation import (
    Problem,
    check_attributes,
    check_event,
    check_identifier,
    check_timestamp,
)
from sandbox.customerio.workspace import CallContext


def perform(visit: CallContext, item: Any, *, may_be_long: bool, spoiled: bool = False) -> list[Problem]:
    """Check an operation and perform it, or return its problems."""
    problems = [Problem("spoiled", "")] if spoiled else list(_check(visit, item, may_be_long=may_be_long))
    shown = item if isinstance(item, dict) else {}
    who = only_identifier(shown.get("identifiers")) or only_identifier(shown.get("primary"))
    person = None
    if not problems:
        try:
            person = _act(visit, item, who)
        except UnknownPerson:
            problems = [Problem("unknown_person", "identifiers")]
    name = shown.get("name")
    visit.record(who, str(shown.get("action")), str(name).strip() if name else None, person, accepted=not problems)
    return problems


def _identify(visit: CallContext, item: Json, who: Identifier) -> Person | None:
    as_of = item.get("timestamp")
    attributes = item.get("attributes") or {}
    update_only = attributes.get("_update") is True
    return identify(visit, who, Change(attributes, visit.seconds if as_of is None else as_of, update_only))


def _track(visit: CallContext, item: Json, who: Identifier) -> Person | None:
    event = new_event(visit, item, "attributes")
    if who.kind == "anonymous_id":
        track_anonymous(visit, who.value, event)
        return None
    return track(visit, who, event)


def _remove(act: Callable[[CallContext, Identifier], None]) -> Callable[[CallContext, Json, Identifier], Person | None]:
    def handler(visit: CallContext, _: Json, who: Identifier) -> Person | None:
        person = visit.workspace.people.find(who)
        act(visit, who)
        return person

    return handler


def _accept_only(visit: CallContext, item: Json, who: Identifier) -> Person | None:
    visit.note(NOT_HELD, who, item["action"])
    return visit.workspace.people.find(who)


# Devices and relationships do not concern a shop: they are accepted and not stored.
PERSON_ACTIONS: Mapping[str, Callable[[CallContext, Json, Identifier], Person | None]] = {
    "identify": _identify,
    "event": _track,
    "page": _track,
    "screen": _track,
    "delete": _remove(removal.delete),
    "suppress": _remove(removal.suppress),
    "unsuppress": _remove(removal.unsuppress),
    "add_device": _accept_only,
    "delete_device": _accept_only,
    "add_relationships": _accept_only,
    "delete_relationships": _accept_only,
}
_TRACKING = ("event", "page", "screen")
_OTHER_TYPES = ("object", "delivery")


def _act(visit: CallContext, item: Json, who: Identifier | None) -> Person | None:
    if item["type"] in _OTHER_TYPES or who is None:
        visit.note(NOT_HELD, item["type"], str(item.get("action")))
        return None
    if item["action"] == "merge":
        secondary = only_identifier(item["secondary"])
        if secondary is not None:
            removal.merge(visit, who, secondary)
        return visit.workspace.people.find(who)
    return PERSON_ACTIONS[item["action"]](visit, item, who)


def _check(visit: CallContext, item: Any, *, may_be_long: bool) -> Iterable[Problem]:
    if not isinstance(item, dict):
        yield Problem("no_object", "")
    elif may_be_long and json_bytes(item) > ITEM_BYTES:
        yield Problem("long_item", "")
    elif item.get("type") == "person":
        yield from _check_person(visit, item)
    elif item.get("type") in _OTHER_TYPES:
        yield from OTHER_CHECKS[item["type"]](item)
    else:
        yield Problem("type", "type")


def _check_person(visit: CallContext, item: Json) -> Iterable[Problem]:
    action = item.get("action")
    if action == "merge":
        yield from (
            Problem("identifiers", side) for side in ("primary", "secondary") if not only_identifier(item.get(side))
        )
        return
    who = only_identifier(item.get("identifiers"))
    if who is None:
        yield Problem("identifiers", "identifiers")
    else:
        yield from check_identifier(who.value, f"identifiers.{who.kind}")
    if not isinstance(action, str) or action not in PERSON_ACTIONS:
        yield Problem("action", "action")
    elif action in _TRACKING:
        yield from check_event(item, "attributes", may_be_long=False, switches=visit.switches)
    elif action == "identify":
        yield from _check_identify(visit, item, who)
    elif action in PERSON_CHECKS:
        yield from PERSON_CHECKS[action](item)


def _check_identify(visit: CallContext, item: Json, who: Identifier | None) -> Iterable[Problem]:
    attributes = item.get("attributes") or {}
    yield from check_attributes(attributes, visit.switches)
    yield from check_timestamp(item.get("timestamp"))
    if isinstance(attributes, dict) and who and who.kind == "id" and str(attributes.get("id", who.value)) != who.value:
        yield Problem("other_id", "attributes.id")
