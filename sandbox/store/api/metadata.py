"""Metadata of customers, orders, subscriptions and products: merged, replaced, cleared."""

from typing import Any

from flask import Blueprint, Response, request

from sandbox.store import dates, shapes
from sandbox.store.api.reads import get_or_404
from sandbox.store.api.responses import answer, body, empty_response
from sandbox.store.world import World


def metadata(world: World) -> Blueprint:
    blueprint = Blueprint("metadata", __name__)
    path = "/v1/<any(customers, orders, subscriptions, products):kind>/<int:row_id>/metadata/"

    @blueprint.get(path)
    def show(kind: str, row_id: int) -> Response:
        with world.state.lock:
            return answer(shapes.metadata(world.state, kind, get_or_404(world, kind, row_id)))

    @blueprint.route(path, methods=["PUT", "POST"])
    def write(kind: str, row_id: int) -> Response:
        """PUT merges keys, POST replaces them all."""
        fields = body()
        with world.state.lock:
            row = get_or_404(world, kind, row_id)
            replace = request.method == "POST"
            store(world, kind, row_id, fields, replace=replace)
            return answer(shapes.metadata(world.state, kind, row), 201 if replace else 200)

    @blueprint.delete(path)
    def clear(kind: str, row_id: int) -> Response:
        with world.state.lock:
            get_or_404(world, kind, row_id)
            world.state.metadata.pop((kind, row_id), None)
            return empty_response()

    return blueprint


def store(world: World, kind: str, row_id: int, fields: dict[str, Any], *, replace: bool) -> None:
    now = dates.iso(world.state.now)
    old = world.state.metadata.get((kind, row_id)) or {"id": world.state.new_id(), "created_at": now, "data": {}}
    data = fields if replace else old["data"] | fields
    world.state.metadata[kind, row_id] = {**old, "data": data, "updated_at": now}
