"""The paths of the Cart API."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.basic_auth import has_pair
from sandbox.warehouse.cartrover import orders_in, orders_out
from sandbox.warehouse.cartrover.answers import FAILURE, INVALID, failure, over_the_limit, success
from sandbox.warehouse.cartrover.lists import BadQuery, read_query, select
from sandbox.warehouse.floor import Refused
from sandbox.warehouse.orders import Order
from sandbox.warehouse.world import World

PREFIX = "/cartrover/v1"
NOT_FOUND = "Order not found"  # a choice of ours, as is its code `Invalid`
UNLIMITED = {f"{PREFIX}/cart/orders/cartrover"}
SHIP_METHODS = [
    {"carrier": "USPS", "code": "USPS_PRIORITY", "description": "USPS Priority Mail"},
    {"carrier": "UPS", "code": "UPS_GROUND", "description": "UPS Ground"},
    {"carrier": "FEDEX", "code": "FEDEX_HOME", "description": "FedEx Home Delivery"},
]
CART = {"cart": "CARTROVER", "description": "Cart API", "order_source": "CARTROVER"}
CANCEL_MESSAGES: Mapping[str, str] = {
    "picked": "Order is in a pick batch and cannot be canceled",
    "label_printed": "Order has a label and cannot be canceled",
    "shipped": "Order has already shipped",
    "on_hold": "Order is on hold",
    "refused_by_operator": "The warehouse refused to cancel the order",
}


def cartrover(world: World) -> Blueprint:
    """Return the blueprint. Every answer but server trouble is a 200."""
    blueprint = Blueprint("cartrover", __name__, url_prefix=PREFIX)

    @blueprint.before_request
    def enter() -> Response | None:
        if not is_authorized(world):
            # A choice of ours: 401 in the shape of every other error. Keys in the URL are not accepted.
            return failure(INVALID, "Invalid API credentials", 401)
        if request.path in UNLIMITED:
            return None
        switches = world.switches
        left = world.bucket.take(world.now, switches.bucket_calls, switches.bucket_refill_s)
        request.environ["sandbox.hits"] = left or 0
        return over_the_limit() if left is None else None

    @blueprint.after_request
    def add_headers(response: Any) -> Any:
        response.headers["X-CartRover-Process-ID"] = f"sandbox-{world.floor.new_id()}"
        if "sandbox.hits" in request.environ:
            response.headers["X-CartRover-Api-Minute-Hits-Remaining"] = str(request.environ["sandbox.hits"])
        return response

    for add in (add_creates, add_reads, add_changes, add_ship_methods):
        add(blueprint, world)
    return blueprint


def add_creates(blueprint: Blueprint, world: World) -> None:
    """A1: new orders."""

    @blueprint.post("/cart/orders/cartrover")
    def create() -> Response:
        body = read_body()
        orders = body if isinstance(body, list) else [body]
        faults = [fault for fault in (find_fault(world, order) for order in orders) if fault]
        if faults or not orders:
            code, message = faults[0] if faults else (INVALID, "No orders")
            return fail(world, code, message)
        for order in orders:
            orders_in.accept(world.floor, order)
        replies = [{"cust_ref": str(order["cust_ref"]), "order_number": str(order["cust_ref"])} for order in orders]
        return success(**replies[0]) if len(replies) == 1 else success(response=replies)

    @blueprint.post("/cart/orders/batch")
    def create_batch() -> Response:
        done: dict[str, list[Any]] = {"success": [], "failed": []}
        body = read_body()
        for position, order in enumerate(body if isinstance(body, list) else []):
            fault = find_fault(world, order)
            named = order if isinstance(order, Mapping) else {}
            reply = {"cust_ref": named.get("cust_ref"), "cust_po_no": named.get("cust_po_no")}
            if fault:
                done["failed"].append(reply | {"message": fault[1], "index_pos": position})
            else:
                orders_in.accept(world.floor, order)
                done["success"].append(reply)
        return success(response=done)


def add_reads(blueprint: Blueprint, world: World) -> None:
    """A2 and A3: an order, and lists of them."""

    @blueprint.get("/cart/orders/<path:cust_ref>")
    def read(cust_ref: str) -> Response:
        order = world.floor.find(orders_in.CHANNEL, cust_ref)
        if order is None:
            return fail(world, INVALID, NOT_FOUND)
        return success(response=orders_out.write_full(order, world.switches, world.now))

    @blueprint.get("/cart/orders/status/<path:cust_ref>")
    def read_status(cust_ref: str) -> Response:
        order = world.floor.find(orders_in.CHANNEL, cust_ref)
        if order is None:
            return fail(world, INVALID, NOT_FOUND)
        return success(response=orders_out.write_status(order, world.switches, world.now))

    @blueprint.get("/cart/orders/list/<status>")
    def list_orders(status: str) -> Response:
        try:
            query = read_query(status, request.args.to_dict())
        except BadQuery as error:
            return fail(world, INVALID, str(error))
        if query.is_open_ended_any:
            return Response("<html><body>Gateway Timeout</body></html>", 504, content_type="text/html")
        found = select(world.floor.visible(orders_in.CHANNEL), query, world.switches, world.now)
        shown = found[(query.page - 1) * query.limit : query.page * query.limit]
        answer = success(response=[orders_out.write_row(order, world.switches, world.now) for order in shown])
        answer.headers["total-records"] = str(len(found))
        return answer


def add_changes(blueprint: Blueprint, world: World) -> None:
    """A4 and A5: acknowledgement and cancel."""

    @blueprint.post("/cart/orders/update/<path:cust_ref>")
    def update(cust_ref: str) -> Response:
        order = world.floor.find(orders_in.CHANNEL, cust_ref)
        if order is None:
            return fail(world, INVALID, NOT_FOUND)
        message = acknowledge(world, order, read_body())
        return fail(world, INVALID, message) if message else success()

    @blueprint.get("/cart/orders/wms_cancel/<path:cust_ref>")
    def cancel(cust_ref: str) -> Response:
        """A GET that changes something."""
        order = world.floor.latest(orders_in.CHANNEL, cust_ref)
        if order is None:
            return fail(world, INVALID, NOT_FOUND)
        message = try_to_cancel(world, order)
        return success(response={"success": message is None, "message": message or ""})

    @blueprint.post("/cart/orders/cancel/cartrover")
    @blueprint.post("/cart/orders/cancel")
    def cancel_early() -> Response:
        """The older call, which only works shortly after the order was made."""
        body = read_body()
        order = world.floor.latest(orders_in.CHANNEL, str(body.get("cust_ref")) if isinstance(body, Mapping) else "")
        if order is None:
            return fail(world, INVALID, NOT_FOUND)
        if world.now > order.created_at + world.switches.legacy_cancel_s:
            return fail(world, FAILURE, "Order can no longer be canceled")
        message = try_to_cancel(world, order)
        return fail(world, FAILURE, message) if message else success()


def add_ship_methods(blueprint: Blueprint, world: World) -> None:
    """A6: ways to ship, and the shops."""

    @blueprint.get("/wms/shipmethod/list")
    def ship_methods() -> Response:
        return success(response=SHIP_METHODS)

    @blueprint.get("/cart/list")
    @blueprint.get("/cart/listall")
    def carts() -> Response:
        return success(response=[CART])

    @blueprint.get("/cart/shipmethod/list/<order_source>")
    def cart_ship_methods(order_source: str) -> Response:
        return success(response=world.ship_codes.get(order_source, []))

    @blueprint.post("/cart/shipmethod/<order_source>")
    def map_ship_method(order_source: str) -> Response:
        world.ship_codes.setdefault(order_source, []).append(read_body())
        return success()


def is_authorized(world: World) -> bool:
    """Is the pair of the Basic header the right one?"""
    return has_pair(request.headers.get("Authorization", ""), world.keys.api_user, world.keys.api_key)


def fail(world: World, code: str, message: str) -> Response:
    """Return an error; a switch decides where its text is."""
    return failure(code, message, text_in=world.switches.error_text)


def read_body() -> Any:
    """Return the JSON of the request, or None if it has none."""
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def find_fault(world: World, order: Any) -> tuple[str, str] | None:
    """Return the code and message of the refusal of a new order, or None."""
    if not isinstance(order, Mapping):
        return INVALID, "Order is not a JSON object"
    message = orders_in.find_fault(order, world.switches.countries)
    if message:
        return INVALID, message
    # A choice of ours: a cancelled order's number stays taken.
    if world.switches.refuse_duplicates and world.floor.holds(orders_in.CHANNEL, str(order["cust_ref"])):
        return FAILURE, orders_in.DUPLICATE
    return None


def try_to_cancel(world: World, order: Order) -> str | None:
    """Cancel, and return None or why not. Cancelling twice works, a choice of ours."""
    try:
        world.floor.cancel(order)
    except Refused as refusal:
        return CANCEL_MESSAGES.get(refusal.reason)
    return None


def acknowledge(world: World, order: Order, body: Any) -> str | None:
    """Note that the shop has the tracking numbers; return None or what is wrong.

    The order leaves the list of shipped ones when all its packages are acknowledged, a choice of ours.
    """
    if not isinstance(body, Mapping) or body.get("order_status") != "confirmed":
        return "order_status must be confirmed"
    if not order.packages and order.shipped_at is None:
        return "Order is not shipped"
    shipments = body.get("shipments") or []
    if not isinstance(shipments, list) or not all(isinstance(shipment, Mapping) for shipment in shipments):
        return "shipments must be a list of objects"
    named = {str(shipment.get("tracking_no") or "") for shipment in shipments}
    unknown = named - {package.tracking for package in order.packages}
    if unknown:
        return f"Order has no shipment {', '.join(sorted(unknown))}"
    for package in order.packages:
        package.is_acknowledged = package.is_acknowledged or package.tracking in named or not package.tracking
    if order.shipped_at is not None and all(package.is_acknowledged for package in order.packages):
        order.confirmed_at = order.confirmed_at or world.now
    world.floor.touch(order)
    return None
