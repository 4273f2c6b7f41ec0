"""Web hooks as a resource: the events and their target addresses."""

from typing import Any

from flask import Blueprint, Response

from sandbox.store import dates
from sandbox.store.api.fields import read
from sandbox.store.api.reads import get_or_404, render_or_400
from sandbox.store.api.responses import answer, body, empty_response
from sandbox.store.shop.shop import NullListener, Shop
from sandbox.store.state import Row
from sandbox.store.world import World


def hooks(world: World) -> Blueprint:
    """No rule of uniqueness is documented: the same hook can be registered twice."""
    blueprint = Blueprint("hooks", __name__)

    @blueprint.post("/v1/hooks/")
    def create() -> Response:
        fields = read("hooks", "POST", body(), required="name target request_type event")
        with world.state.lock:
            hook = world.state.insert("hooks", hook_row(world, fields))
            return answer(render_or_400(world, "hooks", hook), 201)

    @blueprint.put("/v1/hooks/<int:row_id>/")
    def change(row_id: int) -> Response:
        fields = read("hooks", "PUT", body())
        with world.state.lock:
            hook = get_or_404(world, "hooks", row_id)
            hook.update(fields)
            return answer(render_or_400(world, "hooks", hook))

    @blueprint.delete("/v1/hooks/<int:row_id>/")
    def delete(row_id: int) -> Response:
        with world.state.lock:
            get_or_404(world, "hooks", row_id)
            world.state.remove("hooks", row_id)
            return empty_response()

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


def shop_for_api_writes(world: World) -> Shop:
    """The shop as API writes use it: they fire hooks only if the switch is on, because this is undocumented."""
    shop = world.shop
    return shop if world.switches.api_writes_tell else Shop(shop.state, NullListener(), shop.person_generator, shop.rng)
