"""The control paths under `/_control`, with which tests, demos and benchmarks read and change the warehouse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.warehouse.faults import Fault
from sandbox.warehouse.floor import NoSuchOrder, Parcel, Refused
from sandbox.warehouse.json_answer import answer
from sandbox.warehouse.orders import CHANNELS, Line, Order
from sandbox.warehouse.outbox import Listener
from sandbox.warehouse.posting import flush, send_made_up
from sandbox.warehouse.switches import apply_switches
from sandbox.warehouse.world import World

PARCEL = {"tracking_number", "carrier", "method", "tracking_url", "shipped_at", "lines"}
BAD_REQUEST, NOT_FOUND, CONFLICT = 400, 404, 409


def control(world: World) -> Blueprint:
    """Return the blueprint. A number may belong to orders of several channels; `channel` then chooses."""
    blueprint = Blueprint("control", __name__, url_prefix="/_control")

    @blueprint.errorhandler(NoSuchOrder)
    def not_found(error: NoSuchOrder) -> Response:
        return answer({"error": str(error)}, NOT_FOUND)

    @blueprint.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return answer({"error": error.reason}, CONFLICT)

    @blueprint.errorhandler(ValueError)
    @blueprint.errorhandler(TypeError)
    def bad_request(error: Exception) -> Response:
        return answer({"error": str(error)}, BAD_REQUEST)

    @blueprint.before_request
    def catch_up() -> None:
        with world.lock:
            world.floor.advance()

    for add in (add_work, add_trouble, add_switches, add_events, add_state):
        add(blueprint, world)
    return blueprint


def add_work(blueprint: Blueprint, world: World) -> None:
    """What people do with an order."""
    floor = world.floor

    @blueprint.post("/pick")
    def pick() -> Response:
        order = select(world, body())
        floor.pick(order)
        return answer(order.as_json())

    @blueprint.post("/pack")
    def pack() -> Response:
        order = select(world, body())
        floor.pack(order)
        return answer(order.as_json())

    @blueprint.post("/ship")
    def ship() -> Response:
        """`packages` may be left out: one then holds all that is left. `complete: false` leaves the order open."""
        wanted = body("packages", "complete", "force")
        order = select(world, wanted)
        parcels = [read_parcel(parcel) for parcel in wanted.get("packages") or []]
        complete = wanted.get("complete", True) is not False
        floor.ship(order, parcels, complete=complete, force=wanted.get("force") is True)
        return answer(order.as_json())

    @blueprint.post("/orders")
    def add_order() -> Response:
        """Add an order that did not come through an interface: typed in by hand, or from another shop."""
        order = add_by_hand(world, body("lines", "received"))
        return answer(order.as_json(), 201)


def add_trouble(blueprint: Blueprint, world: World) -> None:
    """What goes wrong with an order, and faults of the interfaces."""
    floor = world.floor

    @blueprint.post("/cancel_at_warehouse")
    def cancel() -> Response:
        order = select(world, body())
        floor.cancel_by_operator(order)
        return answer(order.as_json())

    @blueprint.post("/hold")
    def hold() -> Response:
        wanted = body("reason")
        order = select(world, wanted)
        floor.hold(order, str(wanted.get("reason") or "Held by an operator"))
        return answer(order.as_json())

    @blueprint.post("/release")
    def release() -> Response:
        order = select(world, body())
        floor.release(order)
        return answer(order.as_json())

    @blueprint.post("/touch")
    def touch() -> Response:
        """Change an order as an operator does: its ETag changes."""
        order = select(world, body())
        floor.touch(order)
        return answer(order.as_json())

    @blueprint.get("/faults")
    def list_faults() -> Response:
        return answer({"faults": world.faults.listed()})

    @blueprint.post("/faults")
    def add_fault() -> Response:
        world.faults.add(Fault.of(read_object()))
        return list_faults()

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        world.faults.clear()
        return list_faults()


def add_switches(blueprint: Blueprint, world: World) -> None:
    """How the interfaces behave."""

    @blueprint.get("/switches")
    def show_switches() -> Response:
        return answer(asdict(world.switches))

    @blueprint.post("/switches")
    def set_switches() -> Response:
        world.switches = apply_switches(world.switches, read_object())
        return show_switches()

    @blueprint.post("/expire_tokens")
    def expire_tokens() -> Response:
        world.tokens.expire()
        return answer({})

    @blueprint.post("/empty_bucket")
    def empty_bucket() -> Response:
        world.bucket.empty(world.now)
        return answer({})


def add_events(blueprint: Blueprint, world: World) -> None:
    """The events that are posted to a shop."""

    @blueprint.post("/listeners")
    def listen() -> Response:
        """`{"channel": "generic", "url": …, "secret": "whsec_…"}`; without a secret the protocol's own key signs."""
        wanted = read_object()
        if wanted.get("channel") not in {"generic", "3pl"}:
            raise ValueError("channel is generic or 3pl")
        listener = Listener(**wanted)
        world.outbox.listeners[listener.channel] = listener
        return answer({"channel": listener.channel, "url": listener.url}, 201)

    @blueprint.get("/events")
    def list_events() -> Response:
        return answer({"events": [notice.as_json() for notice in world.outbox.notices]})

    @blueprint.post("/flush")
    def flush_events() -> Response:
        """Post now what is due; a running warehouse does so by itself."""
        return answer({"events": flush(world)})

    @blueprint.post("/send")
    def send() -> Response:
        """Post an event word for word: `type` and `data`, or `body`; `message_id`; `flaw` of the signature."""
        return answer(send_made_up(world, read_object()))

    @blueprint.post("/rotate_key")
    def rotate_key() -> Response:
        world.signing_key.rotate()
        return answer({})


def add_state(blueprint: Blueprint, world: World) -> None:
    """What there is."""

    @blueprint.get("/state")
    def state() -> Response:
        """Counts and orders; `?order_number=` and `?channel=` choose, `?orders=none` leaves the orders out."""
        number, channel = request.args.get("order_number"), request.args.get("channel")
        shown = [
            order.as_json()
            for order in world.floor.orders.values()
            if number in {None, order.number} and channel in {None, order.channel}
        ]
        counts = world.floor.count()
        return answer(counts if request.args.get("orders") == "none" else {"counts": counts, "orders": shown})

    @blueprint.delete("/state")
    @blueprint.post("/reset")
    def reset() -> Response:
        world.reset()
        return answer({})

    @blueprint.get("/requests")
    def requests() -> Response:
        return answer({"requests": world.log.entries()})


def read_object() -> dict[str, Any]:
    """Return the request's JSON object; an empty body is an empty object."""
    content = json.loads(request.get_data() or b"{}")
    if not isinstance(content, dict):
        raise TypeError("the body must be a JSON object")
    return content


def body(*fields: str) -> dict[str, Any]:
    """Return the body of a request about an order; a field that is unknown is refused."""
    content = read_object()
    unknown = set(content) - {"order_number", "channel", *fields}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if not isinstance(content.get("order_number"), str):
        raise TypeError("order_number is missing or not a text")
    if content.get("channel") not in {None, *CHANNELS}:
        raise ValueError(f"channel is one of {', '.join(CHANNELS)}")
    return content


def select(world: World, wanted: Mapping[str, Any]) -> Order:
    """Return the order that is meant."""
    return world.floor.select(wanted["order_number"], wanted.get("channel"))


def read_parcel(given: Mapping[str, Any]) -> Parcel:
    """Return a package as described; what is left out is made up."""
    if not isinstance(given, Mapping) or set(given) - PARCEL:
        raise ValueError(f"a package has {', '.join(sorted(PARCEL))}")
    if not all(isinstance(given.get(name), str | None) for name in PARCEL - {"lines"}):
        raise TypeError("a package has texts, and lines")
    shipped_at = given.get("shipped_at")
    lines = given.get("lines")
    if lines is not None and not all(isinstance(line, Mapping) and {"sku", "quantity"} <= set(line) for line in lines):
        raise ValueError("each line has sku and quantity")
    return Parcel(
        given.get("tracking_number"),
        given.get("carrier"),
        given.get("method"),
        given.get("tracking_url"),
        datetime.fromisoformat(shipped_at).timestamp() if shipped_at else None,
        None if lines is None else tuple((str(line["sku"]), int(line["quantity"])) for line in lines),
    )


def add_by_hand(world: World, wanted: Mapping[str, Any]) -> Order:
    """Add an order of the channel that is named, by default CartRover's."""
    given: Sequence[Mapping[str, Any]] = wanted.get("lines") or [{"sku": "OTHER", "quantity": 1}]
    lines = [Line(world.floor.new_id(), str(line["sku"]), int(line["quantity"])) for line in given]
    received = wanted.get("received") or {}
    return world.floor.accept(wanted.get("channel") or CHANNELS[0], wanted["order_number"], lines, received)
