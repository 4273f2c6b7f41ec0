"""The calls about a member's events, which have no id: one that is sent twice is stored twice."""

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, Json, page
from sandbox.mailchimp.dates import read_time
from sandbox.mailchimp.member import Event, Member
from sandbox.mailchimp.problems import invalid, invalid_field, not_found
from sandbox.mailchimp.world import World

MIN_NAME_CHARACTERS = 2
MAX_NAME_CHARACTERS = 30


def post_event(world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Store one more event of a member who exists."""
    member = _find(audience, key)
    body = call.read_object()
    event = _read(world, member, body)
    if member.status == "archived":
        world.warn(path=call.path, why="an event of an archived member")
    member.events.append(event)
    world.took(member, "event", event.name)
    if not event.is_syncing:
        audience.start(member, "event", event.name, world.now() - event.at)
    return Answer(204)


def list_events(world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Return a page of a member's events, the newest first."""
    member = _find(audience, key)
    readable = [one for one in member.events if world.now() >= one.stored_at + world.switches.event_delay_s]
    newest_first = sorted(readable, key=lambda one: (one.at, one.number), reverse=True)
    return Answer(200, page(call, "events", newest_first, Event.as_json))


def _read(world: World, member: Member, body: Json) -> Event:
    name = body.get("name")
    if not isinstance(name, str) or not MIN_NAME_CHARACTERS <= len(name) <= MAX_NAME_CHARACTERS:
        why = f"A name has {MIN_NAME_CHARACTERS} to {MAX_NAME_CHARACTERS} characters."
        raise invalid_field("name", why)
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise invalid_field("properties", "Schema describes object.")
    errors = [
        (f"properties.{key}", "Schema describes string.")
        for key, value in properties.items()
        if not isinstance(value, str | None)
    ]
    if errors:
        raise invalid(errors=errors)
    if not isinstance(body.get("is_syncing", False), bool):
        raise invalid_field("is_syncing", "Schema describes boolean.")
    at = world.now() if body.get("occurred_at") is None else read_time("occurred_at", body["occurred_at"])
    kept = {key: "" if value is None else value for key, value in properties.items()}
    number = len(member.events)
    return Event(number, name, at, world.now(), kept, body.get("is_syncing", False))


def _find(audience: Audience, key: str) -> Member:
    member = audience.find(key)
    if member is None:
        raise not_found()
    return member
