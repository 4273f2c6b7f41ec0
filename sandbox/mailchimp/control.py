"""The control paths: what is kept, what would have been sent, and how to make it difficult."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from flask import Flask, request

from sandbox.mailchimp.audience import people_of
from sandbox.mailchimp.faults import UnknownFault
from sandbox.mailchimp.field_calls import drop_field
from sandbox.mailchimp.gate import Gate
from sandbox.mailchimp.outside import UnknownAction, act
from sandbox.mailchimp.world import World
from sandbox.switch_rules import UnknownSwitch

Json = dict[str, Any]
AUDIENCE_OPTIONS = ("double_optin", "has_welcome", "marketing_permissions")


def add_control_paths(app: Flask, world: World, gate: Gate, release: Callable[[], None]) -> None:
    """Add every path below `/_sandbox`."""
    _add_reading(app, world, gate)
    _add_faults(app, world, gate, release)
    _add_account(app, world)
    _add_happenings(app, world)

    @app.errorhandler(UnknownAction)
    @app.errorhandler(UnknownFault)
    @app.errorhandler(UnknownSwitch)
    def refuse(error: ValueError) -> Any:
        return {"error": str(error)}, 400


def _add_reading(app: Flask, world: World, gate: Gate) -> None:
    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        id_field = request.args.get("id_field", "CJ_ID")
        with world.lock:
            return list(islice(_everyone(world, id_field), offset, offset + limit))

    @app.get("/_sandbox/automations")
    def automations() -> Any:
        """Return what would have sent mail or started automations."""
        return [entry for audience in world.audiences.values() for entry in audience.automations]

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with world.lock:
            started = [entry["kind"] for audience in world.audiences.values() for entry in audience.automations]
            members = [one for audience in world.audiences.values() for one in audience]
            return {
                "people": len(members),
                "member_statuses": dict(Counter(one.status for one in members)),
                "events": sum(len(one.events) for one in members),
                "automations": dict(Counter(started)),
                "billed": sum(audience.count_billed() for audience in world.audiences.values()),
                "forgotten": sum(len(audience.forgotten) for audience in world.audiences.values()),
                "batches": len(world.batches),
                "in_progress": sum(gate.in_progress.values()),
                "most_in_progress": gate.most_in_progress,
                "statuses": dict(world.statuses),
            }

    @app.get("/_sandbox/log")
    def log() -> Any:
        return world.log


def _everyone(world: World, id_field: str) -> Iterator[Json]:
    for audience in world.audiences.values():
        yield from people_of(audience, id_field)


def _add_faults(app: Flask, world: World, gate: Gate, release: Callable[[], None]) -> None:
    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the next answers, without a body: a JSON list of {"status", "headers", "after"}."""
        world.next_answers.extend(request.get_json())
        return {"answers": len(world.next_answers)}

    @app.get("/_sandbox/faults")
    def list_faults() -> Any:
        return world.faults.listed()

    @app.post("/_sandbox/faults")
    def add_fault() -> Any:
        with world.lock:
            return world.faults.add(request.get_json()).as_json()

    @app.delete("/_sandbox/faults")
    def clear_faults() -> Any:
        with world.lock:
            world.faults.clear()
        release()
        return {}

    @app.post("/_sandbox/release")
    def release_waiting() -> Any:
        """Let every call go on that waits because of a fault."""
        release()
        return {"in_progress": sum(gate.in_progress.values())}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with world.lock:
            world.reset()
            gate.most_in_progress = 0
        return {"audience": world.audience.id}


def _add_account(app: Flask, world: World) -> None:
    @app.get("/_sandbox/switches")
    def show_switches() -> Any:
        return world.switches.as_json()

    @app.post("/_sandbox/switches")
    def switch() -> Any:
        world.switches.update(request.get_json())
        return world.switches.as_json()

    @app.post("/_sandbox/keys")
    def keys() -> Any:
        """Revoke a key, add another of the same user or of another one, or move the account to a data centre."""
        wanted = request.get_json()
        with world.lock:
            world.keys.pop(wanted.get("revoke", ""), None)
            world.data_centre = wanted.get("data_centre", world.data_centre)
            if "add_for" in wanted:
                world.keys[f"{world.draw_id()}-{world.data_centre}"] = wanted["add_for"]
        return {"keys": world.keys, "data_centre": world.data_centre}


def _add_happenings(app: Flask, world: World) -> None:
    @app.post("/_sandbox/clock")
    def advance() -> Any:
        """Let `advance_s` seconds pass."""
        with world.lock:
            world.advance(request.get_json()["advance_s"])
        return {"now": world.now()}

    @app.post("/_sandbox/audiences")
    def audiences() -> Any:
        """Add an audience, or set the options of the one with this `id`."""
        with world.lock:
            return _set_audience(world, request.get_json())

    @app.post("/_sandbox/actions")
    def happen() -> Any:
        """Let something happen outside the API: `action` to `member`, an address or a hash, in `audience`."""
        with world.lock:
            _act(world, request.get_json())
        return {}


def _set_audience(world: World, wanted: Json) -> Json:
    audience = world.audiences.get(wanted.get("id", ""))
    if audience is None:
        audience = world.add_audience(wanted.get("name", "Another"), wanted.get("id", ""))
    for name in AUDIENCE_OPTIONS:
        setattr(audience, name, bool(wanted.get(name, getattr(audience, name))))
    if wanted.get("delete"):
        del world.audiences[audience.id]
    return {"audience": audience.id, **{name: getattr(audience, name) for name in AUDIENCE_OPTIONS}}


def _act(world: World, wanted: Json) -> None:
    audience = world.audiences.get(wanted.get("audience", world.audience.id))
    if audience is None:
        raise UnknownAction("there is no such audience")
    if wanted.get("action") != "delete_field":
        act(world, audience, str(wanted.get("action")), str(wanted.get("member")))
        return
    field = audience.fields.get(str(wanted.get("tag")))
    if field is None:
        raise UnknownAction("there is no such field")
    drop_field(audience, field)
