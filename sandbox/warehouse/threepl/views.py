"""The paths of the REST API. Without `Accept: application/hal+json` the answers are in PascalCase."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.warehouse.floor import Refused
from sandbox.warehouse.orders import Order
from sandbox.warehouse.threepl import orders_in, orders_out, queries, rql
from sandbox.warehouse.threepl.errors import (
    ApiError,
    invalid_model,
    not_found,
    not_permitted,
    precondition_failed,
    precondition_required,
    refused,
)
from sandbox.warehouse.threepl.push import add_key
from sandbox.warehouse.threepl.token_views import add_tokens, has_token
from sandbox.warehouse.world import World

PREFIX = "/3pl"
HAL = "application/hal+json"
TOKEN_PATH = f"{PREFIX}/AuthServer/api/Token"
EVERYTHING = {"all"}
TRACKING_FIELDS = {
    "orderid", "referencenum", "ponum", "packageid", "carrier", "carrierservice", "trackingnumber", "trackingurl",
    "deliverystatus", "shipdate", "deliverydate",
}  # fmt: skip
# Why the floor refuses a cancel -> the vendor's ErrorCode.
REFUSALS: Mapping[str, str] = {
    "picked": "InUse",
    "label_printed": "AlreadyCompleted",
    "shipped": "OrderConfirmed",
    "already_cancelled": "OrderCanceled",
    "on_hold": "InUse",
    "refused_by_operator": "InUse",
}
CARRIERS = [
    {"name": "USPS", "shipmentServices": [{"code": "Priority"}, {"code": "First"}], "billingCodes": ["Prepaid"]},
    {"name": "UPS", "shipmentServices": [{"code": "03"}, {"code": "92"}], "billingCodes": ["Prepaid", "ThirdParty"]},
]


def threepl(world: World) -> Blueprint:
    """Return the blueprint."""
    blueprint = Blueprint("threepl", __name__, url_prefix=PREFIX)

    @blueprint.errorhandler(ApiError)
    def as_error(error: ApiError) -> Response:
        return error.to_response()

    @blueprint.before_request
    def enter() -> Response | None:
        if request.path.rstrip("/") == TOKEN_PATH or has_token(world):
            return None
        message = {"Message": "Authorization has been denied for this request."}
        return Response(json.dumps(message), 401, content_type="application/json; charset=utf-8")

    for add in (add_tokens, add_orders, add_packages, add_cancel, add_properties, add_key):
        add(blueprint, world)
    return blueprint


def add_orders(blueprint: Blueprint, world: World) -> None:
    """B2 and B3: new orders, an order, lists."""

    @blueprint.post("/orders")
    def create() -> Response:
        order = orders_in.accept(world.floor, read_body())
        return show_order(world, order, EVERYTHING, 201)

    @blueprint.get("/orders/<int:order_id>")
    def read(order_id: int) -> Response:
        # A choice of ours: without `detail` a single order has everything, and those of a list have nothing more.
        return show_order(world, find(world, order_id), read_details("all"))

    @blueprint.get("/orders")
    def list_orders() -> Response:
        given, switches = request.args.to_dict(), world.switches
        page = queries.read_page(given, queries.MAX_SIZE)
        expression = queries.read_rql(given, set(queries.FIELDS), switches)
        found = queries.filter_orders(candidates(world, expression), expression, switches)
        found = queries.sort_orders(found, given, switches)
        details = read_details("none")
        rows = [orders_out.write_order(order, switches, details) for order in page.cut(found)]
        return show_list(orders_out.ORDER, rows, len(found), page)


def add_packages(blueprint: Blueprint, world: World) -> None:
    """B4: the packages of an order, and the tracking report."""

    @blueprint.get("/orders/<int:order_id>/packages")
    def packages(order_id: int) -> Response:
        order = find(world, order_id)
        shows = bool({"packages", "package_list"} & set(world.switches.tracking_places))
        rows = [orders_out.write_package(order, package, shows_tracking=shows) for package in order.packages]
        return show({"_embedded": {orders_out.PACKAGE: rows}, "_links": {"self": {"href": request.path}}})

    @blueprint.get("/orders/shipmentstrackinginfo")
    def tracking_report() -> Response:
        if not world.switches.has_tracking_report:
            raise not_permitted("SmallParcelTracking is not part of this subscription")
        given = request.args.to_dict()
        page = queries.read_page(given, queries.MAX_TRACKING_SIZE, lowest=0)
        expression = queries.read_rql(given, TRACKING_FIELDS, world.switches)
        rows = [
            orders_out.write_tracking_row(order, package, world.switches)
            for order in world.floor.visible(orders_in.CHANNEL)
            for package in order.packages
        ]
        found = queries.filter_rows(rows, expression)
        return show_list(orders_out.TRACK_INFO, list(page.cut(found)), len(found), page)


def add_cancel(blueprint: Blueprint, world: World) -> None:
    """B5: cancels."""

    @blueprint.post("/orders/<int:order_id>/canceler")
    def cancel(order_id: int) -> Response:
        order = find(world, order_id)
        if request.environ.get("sandbox.touch"):
            world.floor.touch(order)
        require_match(world, order)
        body = read_body()
        if not isinstance(body, Mapping) or not body.get("reason"):
            raise invalid_model("Required", ("Reason", None))
        if not world.switches.has_order_write:
            raise not_permitted("OrderWrite")
        try:
            world.floor.cancel(order)
        except Refused as refusal:
            raise refused(REFUSALS[refusal.reason], refusal.reason) from None
        return Response(status=204)


def add_properties(blueprint: Blueprint, _: World) -> None:
    """What an order may name."""

    @blueprint.get("/properties/carriers")
    def carriers() -> Response:
        return show({"totalResults": len(CARRIERS), "resourceList": CARRIERS})


def find(world: World, order_id: int) -> Order:
    """Return the order, or raise ApiError."""
    order = world.floor.orders.get(order_id)
    if order is None or order.channel != orders_in.CHANNEL or not world.floor.is_visible(order):
        raise not_found()
    return order


def candidates(world: World, expression: rql.Expression | None) -> list[Order]:
    """Return the orders that a query can find: by their numbers, if it names numbers, or all."""
    numbers = rql.values_of(expression, queries.NUMBER) if expression else None
    if numbers is None:
        return world.floor.visible(orders_in.CHANNEL)
    return world.floor.find_all(orders_in.CHANNEL, numbers)


def require_match(world: World, order: Order) -> None:
    """Raise ApiError unless If-Match names the ETag, word for word."""
    given = request.headers.get("If-Match")
    if given is None:
        raise precondition_required()
    if given != orders_out.etag_of(order, world.switches):
        raise precondition_failed()


def read_body() -> Any:
    """Return the JSON of the request; a 400 without JSON if it has none."""
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise invalid_model("Required", ("Body", None)) from None


def read_details(default: str) -> set[str]:
    """Return `detail` and `itemdetail` in lower case. Unknown names ask for nothing."""
    details = set(request.args.get("detail", default).lower().split(","))
    if "all" in details and request.args.get("itemdetail", "").lower() == "none":
        details = {"packages", "smallparcel", "savedelements"}
    return details


def show_order(world: World, order: Order, details: set[str], status: int = 200) -> Response:
    """Return an order with its ETag."""
    answer = show(orders_out.write_order(order, world.switches, details), status)
    answer.headers["ETag"] = orders_out.etag_of(order, world.switches)
    return answer


def show_list(rel: str, rows: list[dict[str, Any]], total: int, page: queries.Page) -> Response:
    """Return a page; an empty one has no `_embedded`."""
    given = request.args.to_dict()
    links = {"self": {"href": f"{request.path.removeprefix(PREFIX)}?{urlencode(given)}"}}
    if page.number and page.number * page.size < total:
        following = urlencode(given | {"pgnum": str(page.number + 1)})
        links["next"] = {"href": f"{request.path.removeprefix(PREFIX)}?{following}"}
    content: dict[str, Any] = {"totalResults": total, "_links": links}
    if rows or not accepts_hal():
        content["_embedded"] = {rel: rows}
    return show(content)


def accepts_hal() -> bool:
    """Does the client ask for HAL?"""
    return HAL in request.headers.get("Accept", "")


def show(content: Any, status: int = 200) -> Response:
    """Return HAL, or PascalCase if the client does not ask for HAL."""
    if accepts_hal():
        return Response(json.dumps(content), status, content_type=f"{HAL}; charset=utf-8")
    pascal = json.dumps(orders_out.to_pascal(content))
    return Response(pascal, status, content_type="application/json; charset=utf-8")
