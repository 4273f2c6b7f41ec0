"""Web hooks as a resource: who wants to hear of which event, and where."""

from typing import Any

from flask import Blueprint, Response

from sandbox.store import dates
from sandbox.store.api.answers import BAD_REQUEST, answer, body, nothing, refuse, truthy
from sandbox.store.api.reads import existing, shown
from sandbox.store.shop.desk import Shop, Silence
from sandbox.store.state import Row
from sandbox.store.telling.news import EVENTS
from sandbox.store.world import World

REQUIRED = ("name", "target", "request_type", "event")
REQUEST_TYPES = ("POST", "GET")


def hooks(world: World) -> Blueprint:
    """No rule of uniqueness is documented: the same hook can be registered twice."""
    blueprint = Blueprint("hooks", __name__)

    @blueprint.post("/v1/hooks/")
    def create() -> Response:
        fields = checked(body(), REQUIRED)
        with world.state.lock:
            hook = world.state.insert("hooks", hook_row(world, fields))
            return answer(shown(world, "hooks", hook), 201)

    @blueprint.put("/v1/hooks/<int:row_id>/")
    def change(row_id: int) -> Response:
        fields = checked(body(), ())
        with world.state.lock:
            hook = existing(world, "hooks", row_id)
            hook.update(fields)
            return answer(shown(world, "hooks", hook))

    @blueprint.delete("/v1/hooks/<int:row_id>/")
    def delete(row_id: int) -> Response:
        with world.state.lock:
            existing(world, "hooks", row_id)
            world.state.remove("hooks", row_id)
            return nothing()

    return blueprint


def hook_row(world: World, fields: dict[str, Any]) -> Row:
    hook_id = world.state.new_id()
    blank = {
        "created_at": dates.iso(world.state.now),
        "enabled": True,
        "id": hook_id,
        "querystring": None,
        "store_id": world.switches.store_id,
        "type": "hook",
        "url": f"/v1/hooks/{hook_id}/",
    }
    return blank | fields


def checked(fields: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    """The known fields, or a 400 that says what is wrong with them."""
    missing = [name for name in required if not fields.get(name)]
    if missing:
        refuse(BAD_REQUEST, f"a hook needs {', '.join(missing)}")
    known = {name: fields[name] for name in (*REQUIRED, "querystring", "enabled") if name in fields}
    if known.get("event", EVENTS[0]) not in EVENTS:
        refuse(BAD_REQUEST, "no such event")
    if known.get("request_type", REQUEST_TYPES[0]) not in REQUEST_TYPES:
        refuse(BAD_REQUEST, "request_type is POST or GET")
    if not str(known.get("target", "http://")).startswith(("http://", "https://")):
        refuse(BAD_REQUEST, "target is a URL")
    return known | ({"enabled": truthy(known["enabled"])} if "enabled" in known else {})


def voice(world: World) -> Shop:
    """The shop as API writes use it: they fire hooks only if the switch says so, as nobody documents it."""
    shop = world.shop
    return shop if world.switches.api_writes_tell else Shop(shop.state, Silence(), shop.folk, shop.rng)
