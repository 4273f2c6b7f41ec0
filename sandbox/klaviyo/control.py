"""The control paths: what is kept, what was started, and how to make it difficult."""

from collections import Counter
from itertools import islice
from typing import Any

from flask import Flask, request

from sandbox.klaviyo.faults import UnknownFault
from sandbox.klaviyo.world import World
from sandbox.switch_rules import UnknownSwitch


def add_control_paths(app: Flask, world: World) -> None:
    """Add every path below `/_sandbox`."""
    _add_reading(app, world)
    _add_faults(app, world)

    @app.errorhandler(UnknownFault)
    @app.errorhandler(UnknownSwitch)
    def refuse(error: ValueError) -> Any:
        return {"error": str(error)}, 400

    @app.get("/_sandbox/switches")
    def show_switches() -> Any:
        return world.switches()

    @app.post("/_sandbox/switches")
    def switch() -> Any:
        with world.lock:
            world.update(request.get_json())
        return world.switches()

    @app.post("/_sandbox/process")
    def process() -> Any:
        """Do the accepted work that waits, and complete the imports."""
        with world.lock:
            done = world.account.waiting
            world.account.process()
            world.account.imports.complete_all()
        return {"done": done}

    @app.post("/_sandbox/reset")
    def reset() -> Any:
        with world.lock:
            world.reset()
        return {}


def _add_reading(app: Flask, world: World) -> None:
    @app.get("/_sandbox/people")
    def people() -> Any:
        offset, limit = request.args.get("offset", 0, int), request.args.get("limit", 10**9, int)
        with world.lock:
            return [one.as_person() for one in islice(world.account.profiles.all.values(), offset, offset + limit)]

    @app.get("/_sandbox/automations")
    def automations() -> Any:
        """Return what started flows: events without backfill, and everyone who was subscribed."""
        with world.lock:
            return list(world.account.events.automations)

    @app.get("/_sandbox/stats")
    def stats() -> Any:
        with world.lock:
            account = world.account
            profiles = list(account.profiles.all.values())
            return {
                "people": len(profiles),
                "subscribed": sum(one.is_subscribed for one in profiles),
                "suppressed": sum(one.is_suppressed for one in profiles),
                "events": sum(len(one.events) for one in profiles),
                "duplicates": account.events.duplicates,
                "metrics": len(account.events.metrics),
                "automations": dict(Counter(one["kind"] for one in account.events.automations)),
                "waiting": account.waiting,
                "statuses": dict(world.statuses),
            }


def _add_faults(app: Flask, world: World) -> None:
    @app.post("/_sandbox/answers")
    def answer_next() -> Any:
        """Set the next answers: a JSON list of {"status", "headers", "after"}; after: the call is processed first."""
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
        world.release()
        return {}
