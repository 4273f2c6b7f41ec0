"""The address to which a shop posts, and the order query."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.signed_messages import find_fault
from sandbox.warehouse.generic.messages_in import CHANNEL, process
from sandbox.warehouse.generic.messages_out import write_order
from sandbox.warehouse.json_answer import answer
from sandbox.warehouse.world import World

FIRST_REFUSAL = 400


def generic(world: World) -> Blueprint:
    """Return the blueprint. A message that was done gets the first answer again; what was refused is tried again."""
    blueprint = Blueprint("generic", __name__, url_prefix="/generic")

    @blueprint.before_request
    def enter() -> Response | None:
        if world.switches.is_endpoint_off:
            return answer({"status": "gone"}, 410)
        headers = {name.lower(): value for name, value in request.headers.items()}
        fault = find_fault(world.keys.webhook_secret, headers, request.get_data(), world.now)
        return answer({"status": "unauthorized", "message": fault}, 401) if fault else None

    @blueprint.post("/")
    def take_message() -> Response:
        message_id = request.headers["webhook-id"]
        reply = world.replies.get(message_id) or process(world.floor, request.get_data())
        if reply.status < FIRST_REFUSAL:
            world.replies[message_id] = reply
        return answer(reply[1], reply[0])

    @blueprint.get("/orders/<path:number>")
    def query(number: str) -> Response:
        order = world.floor.find(CHANNEL, number)
        return answer({"status": "unknown"}, 404) if order is None else answer(write_order(order))

    return blueprint
