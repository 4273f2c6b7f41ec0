"""Hooks as the merchant can change them at the store itself: no API request, no word to who registered them."""

from flask import Blueprint, Response, request

from sandbox.store.api.fields import InvalidValue, boolean
from sandbox.store.api.responses import BAD_REQUEST, answer, body, refuse
from sandbox.store.state import Row
from sandbox.store.webhooks.shop_event import EVENTS
from sandbox.store.world import World


def control_hooks(world: World) -> Blueprint:
    """`?event=` or `?id=` choose among the registered hooks; without either all are meant."""
    blueprint = Blueprint("control_hooks", __name__, url_prefix="/_sandbox/hooks")

    @blueprint.get("")
    def show() -> Response:
        with world.state.lock:
            return answer({"hooks": select_hooks(world)})

    @blueprint.delete("")
    def delete() -> Response:
        with world.state.lock:
            for hook in select_hooks(world):
                world.state.remove("hooks", hook["id"])
            return answer({"hooks": list(world.state.rows("hooks"))})

    @blueprint.post("")
    def switch() -> Response:
        """`{"enabled": false}` switches them off, `true` on again."""
        enabled = wanted(body())
        with world.state.lock:
            for hook in select_hooks(world):
                hook["enabled"] = enabled
            return answer({"hooks": list(world.state.rows("hooks"))})

    return blueprint


def wanted(fields: Row) -> bool:
    try:
        return boolean(fields.get("enabled"))
    except InvalidValue as error:
        return bool(refuse(BAD_REQUEST, f"enabled {error}"))


def select_hooks(world: World) -> list[Row]:
    event, hook_id = request.args.get("event"), request.args.get("id")
    if event is not None and event not in EVENTS:
        refuse(BAD_REQUEST, f"event is one of {', '.join(EVENTS)}")
    hooks = world.state.rows("hooks")
    return [hook for hook in hooks if event in {None, hook["event"]} and hook_id in {None, str(hook["id"])}]
