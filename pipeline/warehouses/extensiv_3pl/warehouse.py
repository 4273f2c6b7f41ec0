"""3PL Warehouse Manager as a warehouse."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.core.fulfilment import (
    AcknowledgeAnswer,
    CancelAnswer,
    Cancelled,
    CheckAnswer,
    CreateAnswer,
    Created,
    FindAnswer,
    NotFound,
    Order,
    OutcomeUnknown,
    PushAnswer,
    Retryable,
    ShippedAnswer,
    Trouble,
    Unsupported,
    WarehouseOrder,
)
from pipeline.infra.form_config import read_config
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.base import Capabilities, Tools
from pipeline.warehouses.calls import Endpoint, read_object
from pipeline.warehouses.extensiv_3pl.absent import ManyNumbers
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.cancelling import cancel_order
from pipeline.warehouses.extensiv_3pl.order_body import build_order
from pipeline.warehouses.extensiv_3pl.orders import parse_order
from pipeline.warehouses.extensiv_3pl.problems import parse_create_problem
from pipeline.warehouses.extensiv_3pl.reading import Listing, parse_orders, read_order
from pipeline.warehouses.extensiv_3pl.rql import is_number, order_query
from pipeline.warehouses.extensiv_3pl.tracking import list_shipped
from pipeline.warehouses.json_texts import as_object
from pipeline.warehouses.open_orders import start_part

MAX_CREATES_AT_ONCE = 4
_FIND_ROWS = 10


class WarehouseManager:
    """One customer of one warehouse."""

    adapter: ClassVar[str] = "extensiv_3pl"
    title: ClassVar[str] = "Extensiv 3PL Warehouse Manager"
    steps: ClassVar[tuple[str, ...]] = (
        "Switch off any other link of the shop with this warehouse: with two, every box would be sent twice.",
        "Ask the warehouse for REST API credentials with the roles OrderView, OrderEdit, OrderWrite and CustomerView.",
        "Ask it for your customer ID, the facility, and the user login that it wants in the API's records.",
        "The ship codes of the settings are its carrier and service code, as GET /properties/carriers lists them.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("client_id", "Client ID", help="From the warehouse's Support Portal."),
        Field("client_secret", "Client secret", secret=True, help="The secret beside that client ID."),
        Field("customer_id", "Customer ID", help="Your number at the warehouse, such as 7."),
        Field("facility", "Facility", help="The warehouse's building: its number, or its name."),
        Field("user_login", "User login", required=False, help="As the warehouse has named it; some want none."),
        Field("user_login_id", "User login ID", required=False, help="Only for credentials that come with one."),
        Field("tpl", "TPL key", required=False, help="Only for credentials that come with one; with its braces."),
        Field(
            "billing_code",
            "Billing code",
            required=False,
            default="Prepaid",
            help="Who pays the carrier.",
            names_account=False,
        ),
        Field(
            "calls_per_second",
            "Requests a second",
            required=False,
            default="2",
            choices=("1", "2", "4", "6", "10"),
            names_account=False,
            help="Extensiv names no limit, and we keep to 2. More send boxes faster; ask the warehouse first.",
        ),
        Field(
            "base_url",
            "Base URL",
            required=False,
            default="https://secure-wms.com",
            help="Only where the warehouse names another address, or to send to a sandbox.",
            sets_host=True,
        ),
    )
    country_format: ClassVar[Literal["alpha2", "alpha3"]] = "alpha2"
    calls_per_second: ClassVar[float] = 2.0  # no limit is documented; one client keeps to this
    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "client_id")

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:
        given = read_config(self.fields, config)
        if not given["customer_id"].isdecimal():
            raise Misconfigured("customer_id must be a number")
        self._customer_id = int(given["customer_id"])
        self._facility, self._billing_code = given["facility"], given["billing_code"]
        self._api, self._now = Api(given, tools), tools.now
        self._many = ManyNumbers(self._api, self._customer_id, tools.values)
        self._creates_at_once = min(MAX_CREATES_AT_ONCE, int(given["calls_per_second"]))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(finds_many=True, creates_at_once=self._creates_at_once)

    def check(self) -> CheckAnswer:
        """List one order of the customer."""
        listing = self._list("", rows=1, detail="None")
        if not isinstance(listing, Listing):
            return listing
        names = as_object(listing.rows[0].get("readOnly") if listing.rows else None)
        return {
            "orders": listing.total,
            "customer": _get_name(names.get("customerIdentifier")),
            "facility": _get_name(names.get("facilityIdentifier")),
        }

    def create(self, order: Order) -> CreateAnswer:
        content = build_order(
            order, customer_id=self._customer_id, facility=self._facility, billing_code=self._billing_code
        )
        response = self._api.call(Endpoint("POST", "/orders", "/orders"), content)
        problem = parse_create_problem(response, order)
        if problem is not None or not isinstance(response, HTTPResponse):
            return problem or OutcomeUnknown("no answer")
        found = parse_order(read_object(response) or {})
        if found is None:
            return OutcomeUnknown(f"answered {response.status} without the order's id")
        return Created(found.external_id, response.headers.get("etag", ""))

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:  # noqa: ARG002 - the number finds it
        """Ask by number: whether a number may be used twice is not documented, so all its orders are looked at."""
        listing = self._list(is_number(order_number), rows=_FIND_ROWS, detail="All")
        if not isinstance(listing, Listing):
            return listing
        orders = [order for row in listing.rows if (order := parse_order(row))]
        same = [order for order in orders if order.order_number == order_number]
        if not same:
            return Retryable("answered with other orders") if listing.rows else NotFound()
        return self._complete(_choose(same))

    def find_absent(self, order_numbers: Sequence[str]) -> Collection[str]:
        return self._many.find_absent(order_numbers)

    def list_shipped(self, open_orders: Sequence[tuple[str, str]], cursor: str = "") -> ShippedAnswer:
        is_over = start_part(self._now)
        return list_shipped(self._api, self._customer_id, self.find, open_orders, cursor, is_over)

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:  # noqa: ARG002
        """Nothing: what was shipped is asked for by number."""
        return None

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:
        if external_id:
            return cancel_order(self._api, order_number, external_id, reason)
        found = self.find(order_number)
        if not isinstance(found, WarehouseOrder):
            return found
        is_cancelled = found.progress == "cancelled"
        return Cancelled() if is_cancelled else cancel_order(self._api, order_number, found.external_id, reason)

    def read_push(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:  # noqa: ARG002 - it is asked instead
        return Unsupported()

    def _list(self, condition: str, *, rows: int, detail: str) -> Listing | Trouble:
        path = order_query(self._customer_id, condition, rows=rows, detail=detail)
        return parse_orders(self._api.call(Endpoint("GET", path, "/orders")))

    def _complete(self, order: WarehouseOrder) -> FindAnswer:
        """Read the order itself if the list did not show its lines: without them it cannot be compared."""
        if order.content is not None:
            return order
        found = read_order(self._api, order.external_id)
        if isinstance(found, NotFound):  # what was listed must not count as absent
            return Retryable("an order that is listed cannot be read")
        return replace(found, note=order.note or found.note) if isinstance(found, WarehouseOrder) else found


def _choose(orders: Sequence[WarehouseOrder]) -> WarehouseOrder:
    """Return the order that is not cancelled, if any, and the oldest of several."""
    living = [order for order in orders if order.progress != "cancelled"] or orders
    chosen = min(living, key=lambda order: (len(order.external_id), order.external_id))
    return replace(chosen, note="several_orders") if len(living) > 1 else chosen


def _get_name(identifier: Any) -> str | None:
    name = as_object(identifier).get("name")
    return name if isinstance(name, str) else None
