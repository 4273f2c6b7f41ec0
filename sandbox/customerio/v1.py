"""Track v1: a person or an event per call, with its paths, the order of its checks and its error texts."""

from collections.abc import Callable, Iterable
from urllib.parse import unquote

from sandbox.customerio import removal
from sandbox.customerio.http_messages import Answer, Json, Request, ok, pretty, read_object
from sandbox.customerio.identity import Change, identify
from sandbox.customerio.limits import EVENT_DATA_BYTES
from sandbox.customerio.people import Identifier, from_path, only_identifier
from sandbox.customerio.tracking import UnknownPerson, new_event, track, track_anonymous
from sandbox.customerio.validation import (
    Problem,
    check_attributes,
    check_event,
    check_identifier,
    check_timestamp,
)
from sandbox.customerio.workspace import CallContext

PERSON_PATH = "/api/v1/customers/{identifier}"
EVENT_TYPES = ("event", "page", "screen")


def put_person(visit: CallContext, request: Request) -> Answer:
    """Upsert a person."""
    who, attributes = _who(request), read_object(request.body)
    problems = list(_check_person(visit, who, attributes))
    if attributes is None or problems:
        visit.record(who, "identify", None, None, accepted=False)
        return refuse(problem.in_v1() for problem in problems)
    as_of = attributes.get("_timestamp")
    change = Change(attributes, visit.seconds if as_of is None else as_of, attributes.get("_update") is True)
    visit.record(who, "identify", None, identify(visit, who, change), accepted=True)
    return ok()


def post_event(visit: CallContext, request: Request) -> Answer:
    """Track an event of a person."""
    who, event = _who(request), read_object(request.body)
    problems = [*check_identifier(who.value, "id"), *_check_event(visit, request, event)]
    name = str(event["name"]).strip() if event and "name" in event else None
    if event is None or problems:
        visit.record(who, "event", name, None, accepted=False)
        return refuse(problem.in_v1() for problem in problems)
    try:
        person = track(visit, who, new_event(visit, event, "data"))
    except UnknownPerson:
        visit.record(who, "event", name, None, accepted=False)
        return refuse([Problem("unknown_person", "id").in_v1()])
    visit.record(who, str(event.get("type", "event")), name, person, accepted=True)
    return ok()


def post_anonymous_event(visit: CallContext, request: Request) -> Answer:
    """Track an event of an unknown person, or an invitation."""
    event = read_object(request.body)
    problems = list(_check_event(visit, request, event))
    if event is None or problems:
        visit.record("anonymous", "event", None, None, accepted=False)
        return refuse(problem.in_v1() for problem in problems)
    anonymous_id = str(event.get("anonymous_id") or "") or None
    track_anonymous(visit, anonymous_id, new_event(visit, event, "data"))
    visit.record(f"anonymous_id:{anonymous_id}", "event", event["name"].strip(), None, accepted=True)
    return ok()


def delete_person(visit: CallContext, request: Request) -> Answer:
    """Delete a person, known or not."""
    return _always(visit, request, "delete", removal.delete)


def suppress_person(visit: CallContext, request: Request) -> Answer:
    """Delete and block a person, known or not."""
    return _always(visit, request, "suppress", removal.suppress)


def unsuppress_person(visit: CallContext, request: Request) -> Answer:
    """Remove a suppression, if there is any."""
    return _always(visit, request, "unsuppress", removal.unsuppress)


def merge_people(visit: CallContext, request: Request) -> Answer:
    """Merge two people; this route alone words its error in the singular."""
    body = read_object(request.body) or {}
    primary, secondary = only_identifier(body.get("primary")), only_identifier(body.get("secondary"))
    if primary is None or secondary is None:
        return pretty(400, {"meta": {"error": "primary and secondary must each have exactly one identifier"}})
    removal.merge(visit, primary, secondary)
    visit.record(primary, "merge", None, visit.workspace.people.find(primary), accepted=True)
    return ok()


def refuse(messages: Iterable[str]) -> Answer:
    """Return a 400 in the words of Track v1."""
    return pretty(400, {"meta": {"errors": list(messages)}})


ROUTES = {
    ("PUT", PERSON_PATH): put_person,
    ("DELETE", PERSON_PATH): delete_person,
    ("POST", PERSON_PATH + "/events"): post_event,
    ("POST", PERSON_PATH + "/suppress"): suppress_person,
    ("POST", PERSON_PATH + "/unsuppress"): unsuppress_person,
    ("POST", "/api/v1/events"): post_anonymous_event,
    ("POST", "/api/v1/merge_customers"): merge_people,
}


# The placeholder for an identifier in a path, by the preceding segment.
_PLACEHOLDERS = {
    "customers": "{identifier}",
    "devices": "{device_id}",
    "forms": "{form_id}",
    "segments": "{segment_id}",
}


def template_of(path: str) -> str:
    """Return a path with placeholders for its identifiers."""
    segments = path.split("/")
    if segments[1:3] != ["api", "v1"]:
        return path
    for place in range(4, len(segments), 2):
        segments[place] = _PLACEHOLDERS.get(segments[place - 1], segments[place])
    return "/".join(segments)


def _who(request: Request) -> Identifier:
    return from_path(unquote(request.path.split("/")[4]))


def _check_person(visit: CallContext, who: Identifier, attributes: Json | None) -> Iterable[Problem]:
    if attributes is None:
        yield Problem("no_object", "")
        return
    yield from check_identifier(who.value, "id")
    yield from check_attributes(attributes, visit.switches)
    yield from check_timestamp(attributes.get("_timestamp"), "_timestamp")
    if attributes.get("id") is not None:
        yield from check_identifier(attributes["id"], "id")
        if who.kind == "id" and str(attributes["id"]) != who.value:
            yield Problem("other_id", "id")


def _check_event(visit: CallContext, request: Request, event: Json | None) -> Iterable[Problem]:
    if event is None:
        yield Problem("no_object", "")
        return
    if event.get("type", "event") not in EVENT_TYPES:
        yield Problem("event_type", "type")
    may_be_long = len(request.body) > EVENT_DATA_BYTES
    yield from check_event(event, "data", may_be_long=may_be_long, switches=visit.switches)


def _always(
    visit: CallContext, request: Request, action: str, act: Callable[[CallContext, Identifier], None]
) -> Answer:
    who = _who(request)
    person = visit.workspace.people.find(who)
    act(visit, who)
    visit.record(who, action, None, person, accepted=True)
    return ok()
