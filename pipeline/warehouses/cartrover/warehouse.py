"""Extensiv Integration Manager as a warehouse: it hands orders to every warehouse it is connected with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlencode

from pipeline.core.form_fields import Field
from pipeline.core.fulfilment import (
    AcknowledgeAnswer,
    CancelAnswer,
    Cancelled,
    CancelPending,
    CheckAnswer,
    CreateAnswer,
    FindAnswer,
    NotFound,
    Order,
    PushAnswer,
    RateLimited,
    Refused,
    Retryable,
    ShippedAnswer,
    ShippedPage,
    Unsupported,
    WarehouseOrder,
)
from pipeline.events.fields import format_time
from pipeline.infra.form_config import read_config
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.client import HTTPResponse
from pipeline.redaction.scrub import scrub
from pipeline.warehouses.base import Capabilities, Tools
from pipeline.warehouses.calls import Caller, Endpoint
from pipeline.warehouses.cartrover.order_body import build_order
from pipeline.warehouses.cartrover.orders import has_status, parse_number, parse_order
from pipeline.warehouses.cartrover.responses import (
    Body,
    parse_created,
    parse_invalid,
    parse_read,
    parse_row,
    parse_write,
)

PAGE_ROWS = 100  # the most that a list gives
MAX_PAGES = 1_000  # of one list; a warehouse that shows the same page for ever must not hide the lists after it
# Shipped orders stay in their list until they are acknowledged; cancelled ones stay for ever, and those in error until
# a person mends them, so these are looked back for as long as a poll may be late.
_LOOK_BACK_DAYS = 14
_LOOKED_BACK = frozenset({"canceled", "error"})
_DAY_US = 86_400_000_000
_LISTS = ("shipped", "partial", "canceled", "error")


class CartRover:
    """One order source: the keys are those of a cart."""

    adapter: ClassVar[str] = "cartrover"
    title: ClassVar[str] = "Extensiv Integration Manager"
    steps: ClassVar[tuple[str, ...]] = (
        "In Integration Manager switch off its own Cratejoy connection: with both, every box would be sent twice.",
        "Add a cart of the kind “API”, and open its API credentials; copy the API user and the API key.",
        "Map the ship codes SUBSCRIPTION and ORDER (or CHARGED and FREE) there, or its codes here.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("api_user", "API user", help="Integration Manager: the cart's API credentials."),
        Field(
            "api_key", "API key", secret=True, help="The key beside that user. Rotating it ends the old pair at once."
        ),
        Field(
            "cancel_call",
            "How orders are cancelled",
            default="wms_cancel",
            choices=("wms_cancel", "legacy"),
            names_account=False,
            help="wms_cancel asks the warehouse; legacy is the older call, which works only shortly after the order.",
        ),
        Field(
            "base_url",
            "Base URL",
            required=False,
            default="https://api.cartrover.com/v1",
            help="Only to send elsewhere than to Integration Manager, e.g. a sandbox.",
            sets_host=True,
        ),
    )
    country_format: ClassVar[Literal["alpha2", "alpha3"]] = "alpha3"
    calls_per_second: ClassVar[float] = 1.6  # one call is refilled each 0.6 s (CartRover API documentation)
    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "api_user")
    capabilities = Capabilities(acknowledges=True, refuses_duplicates=True, creates_at_once=4)

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:
        given = read_config(self.fields, config)
        authorization = build_basic_auth(given["api_user"], given["api_key"])
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self._cancel_call = given["cancel_call"]
        self._now = tools.now
        self._caller = Caller(tools, given["base_url"].rstrip("/"), support_header="x-cartrover-process-id")

    def check(self) -> CheckAnswer:
        """List one new order."""
        response = self._get("/cart/orders/list/new?limit=1", "/cart/orders/list/{status}")
        body = parse_read(response)
        if not isinstance(body, Body):
            return body
        if not body.is_success:
            return Retryable(f"refused: {body.code}")
        total = "" if isinstance(response, RateLimited) else response.headers.get("total-records")
        return {"new_orders": parse_number(total)}

    def create(self, order: Order) -> CreateAnswer:
        """Post one order. New Order is not counted by the rate limit (CartRover API documentation)."""
        path = "/cart/orders/cartrover"
        return parse_created(self._post(path, path, build_order(order), takes_turn=False), order)

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:  # noqa: ARG002 - the number is its id
        """Read the order in full, and its status where the full read does not say it."""
        row = parse_row(self._get(f"/cart/orders/{_quote(order_number)}", "/cart/orders/{cust_ref}"))
        if not isinstance(row, Mapping):
            return row
        if not has_status(row):
            status = parse_row(self._get_status(order_number))
            if not isinstance(status, Mapping):
                return status
            row = {**row, **status}
        return _expect(parse_order(row), order_number)

    def list_shipped(self, open_orders: Sequence[tuple[str, str]], cursor: str = "") -> ShippedAnswer:  # noqa: ARG002 - the lists name them
        """Read a page of the orders that are shipped and not confirmed, shipped in part, cancelled or in error."""
        status, page = _read_cursor(cursor)
        query = {"limit": PAGE_ROWS, "page": page, **self._get_dates(status)}
        body = parse_read(self._get(f"/cart/orders/list/{status}?{urlencode(query)}", "/cart/orders/list/{status}"))
        if not isinstance(body, Body):
            return body
        rows = body.fields.get("response") if body.is_success else None
        if not isinstance(rows, list):
            return Retryable(f"unreadable list: {body.code}")
        orders = tuple(order for row in rows if isinstance(row, dict) and (order := parse_order(row)))
        if len(rows) >= PAGE_ROWS and page < MAX_PAGES:
            return ShippedPage(orders, f"{status}:{page + 1}")
        following = _LISTS[_LISTS.index(status) + 1 :]
        return ShippedPage(orders, f"{following[0]}:1" if following else "")

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:
        """Mark the order as confirmed: it leaves the list of shipped ones. Harmless to repeat."""
        path = f"/cart/orders/update/{_quote(order_number)}"
        shipments = [{"tracking_no": number} for number in tracking_numbers]
        content = {"order_status": "confirmed", "shipments": shipments}
        body = parse_read(self._post(path, "/cart/orders/update/{cust_ref}", content))
        if not isinstance(body, Body):
            return body
        return None if body.is_success else parse_invalid(body)

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:  # noqa: ARG002 - the call takes neither
        """Ask for the cancel, then read the order: only a cancelled one, or one kept from being sent, counts."""
        body = parse_write(self._ask_to_cancel(order_number))
        if not isinstance(body, Body):
            return body
        if body.says_absent:
            return NotFound()
        found = self.find(order_number)
        if isinstance(found, WarehouseOrder) and found.progress == "cancelled":
            return Cancelled()
        refusal = _find_refusal(body)
        return CancelPending() if refusal is None else Refused(refusal)

    def read_push(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:  # noqa: ARG002 - it pushes nothing
        return Unsupported()

    def _ask_to_cancel(self, order_number: str) -> HTTPResponse | RateLimited:
        """A GET with a side effect, or the older POST."""
        if self._cancel_call == "legacy":
            path = "/cart/orders/cancel/cartrover"
            return self._post(path, path, {"cust_ref": order_number})
        return self._get(f"/cart/orders/wms_cancel/{_quote(order_number)}", "/cart/orders/wms_cancel/{cust_ref}")

    def _get_status(self, order_number: str) -> HTTPResponse | RateLimited:
        return self._get(f"/cart/orders/status/{_quote(order_number)}", "/cart/orders/status/{cust_ref}")

    def _get_dates(self, status: str) -> dict[str, str]:
        if status not in _LOOKED_BACK:
            return {}
        now = self._now()
        return {"from_date": format_time(now - _LOOK_BACK_DAYS * _DAY_US), "to_date": format_time(now + _DAY_US)}

    def _get(self, path: str, template: str) -> HTTPResponse | RateLimited:
        return self._caller.call(Endpoint("GET", path, template), self._headers)

    def _post(self, path: str, template: str, content: Any, *, takes_turn: bool = True) -> HTTPResponse | RateLimited:
        body = json.dumps(content).encode()
        return self._caller.call(Endpoint("POST", path, template), self._headers, body, takes_turn=takes_turn)


def _read_cursor(cursor: str) -> tuple[str, int]:
    """Return the list and the page; the beginning for a cursor of another warehouse, which the store had before."""
    status, _, page = cursor.partition(":")
    return (status, int(page)) if status in _LISTS and page.isdecimal() else (_LISTS[0], 1)


def _find_refusal(body: Body) -> str | None:
    """Return why a cancel was refused, or None. The answer's own `success` may say so in a successful answer."""
    inner = body.fields.get("response")
    if body.is_success and (not isinstance(inner, dict) or inner.get("success") is not False):
        return None
    words = inner.get("message") if body.is_success and isinstance(inner, dict) else body.message
    return scrub(words if isinstance(words, str) else "") or body.code or "refused"


def _expect(order: WarehouseOrder | None, order_number: str) -> FindAnswer:
    if order is None or order.order_number != order_number:
        return Retryable("answered with another order")
    return order


def _quote(order_number: str) -> str:
    return quote(order_number, safe="")
