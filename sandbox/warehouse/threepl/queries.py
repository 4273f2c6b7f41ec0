"""The lists: RQL over orders and tracking rows, sorting and paging."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sandbox.warehouse.orders import Order
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.threepl import rql
from sandbox.warehouse.threepl.errors import invalid_query
from sandbox.warehouse.threepl.orders_in import CUSTOMER, FACILITY
from sandbox.warehouse.threepl.orders_out import is_closed, local, status_of

T = TypeVar("T")
DEFAULT_SIZE, MAX_SIZE, MAX_TRACKING_SIZE = 100, 1000, 4000
NUMBER = "referencenum"

Field = Callable[[Order, Switches], Any]

# The properties that a query may name, in lower case.
FIELDS: Mapping[str, Field] = {
    NUMBER: lambda order, _: order.number,
    "ponum": lambda order, _: order.received.get("poNum"),
    "externalid": lambda order, _: order.received.get("externalId"),
    "readonly.orderid": lambda order, _: order.order_id,
    "readonly.status": lambda order, _: status_of(order),
    "readonly.isclosed": is_closed,
    "readonly.fullyallocated": lambda _order, _: True,
    "readonly.creationdate": lambda order, switches: local(order.created_at, switches),
    "readonly.lastmodifieddate": lambda order, switches: local(order.updated_at, switches),
    "readonly.processdate": lambda order, switches: local(order.cancelled_at or order.shipped_at, switches),
    "readonly.onholddate": lambda order, switches: local(order.held_at, switches),
    "readonly.customeridentifier.id": lambda _order, _: CUSTOMER["id"],
    "readonly.customeridentifier.name": lambda _order, _: CUSTOMER["name"],
    "readonly.facilityidentifier.id": lambda _order, _: FACILITY["id"],
    "readonly.facilityidentifier.name": lambda _order, _: FACILITY["name"],
}


class Page(NamedTuple):
    """A page that was asked for; number 0 asks only for the count."""

    size: int
    number: int

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of the page."""
        return rows[(self.number - 1) * self.size : self.number * self.size] if self.number else []


def read_page(given: Mapping[str, str], largest: int, lowest: int = 1) -> Page:
    """Return the page; too large a size is an error."""
    size, number = given.get("pgsiz", str(DEFAULT_SIZE)), given.get("pgnum", "1")
    if not size.isdecimal() or not 1 <= int(size) <= largest:
        raise invalid_query("NotParsable", "pgsiz", size)
    if not number.isdecimal() or int(number) < lowest:
        raise invalid_query("NotParsable", "pgnum", number)
    return Page(int(size), int(number))


def read_rql(given: Mapping[str, str], known: set[str], switches: Switches) -> rql.Expression | None:
    """Return the query, or None without one."""
    text = given.get("rql")
    if not text:
        return None
    try:
        expression = rql.parse(text)
    except rql.NotParsable:
        raise invalid_query("NotParsable", "rql", text) from None
    if not expression.names() <= known:
        raise invalid_query("DoesNotExist", "rql", text)
    if not switches.allows_rql_in and "=in=" in text:
        raise invalid_query("NotParsable", "rql", text)
    return expression


def filter_orders(orders: list[Order], expression: rql.Expression | None, switches: Switches) -> list[Order]:
    """Return the orders of which the expression is true."""
    if expression is None:
        return orders
    return [order for order in orders if _holds(expression, _reader(order, switches))]


def filter_rows(rows: list[dict[str, Any]], expression: rql.Expression | None) -> list[dict[str, Any]]:
    """Return the rows of which the expression is true."""
    if expression is None:
        return rows
    folded = [({name.lower(): value for name, value in row.items()}, row) for row in rows]
    return [row for values, row in folded if _holds(expression, values.__getitem__)]


def sort_orders(orders: list[Order], given: Mapping[str, str], switches: Switches) -> list[Order]:
    """Sort by the property that `sort` names; a minus before it turns the order round."""
    wanted = given.get("sort", "")
    name = wanted.removeprefix("-").lower()
    if not name:
        return orders
    if name not in FIELDS:
        raise invalid_query("DoesNotExist", "sort", wanted)
    field = FIELDS[name]
    return sorted(
        orders,
        key=lambda order: ((value := field(order, switches)) is not None, value or ""),
        reverse=wanted.startswith("-"),
    )


def _reader(order: Order, switches: Switches) -> rql.Get:
    return lambda name: FIELDS[name](order, switches)


def _holds(expression: rql.Expression, get: rql.Get) -> bool:
    try:
        return expression.holds(get)
    except rql.NotParsable as error:
        raise invalid_query("NotParsable", "rql", str(error)) from None
