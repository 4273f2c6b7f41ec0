"""Queries in RQL, the filter language of the REST API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode

# These have a meaning in RQL; the server decodes a query twice, so they are escaped once more inside a value.
_SPECIAL = re.compile(r"[%!()*=,;]")


def order_query(customer_id: int, condition: str, *, rows: int, detail: str) -> str:
    """Return the path of a list of orders of one customer. `condition`: RQL, or empty."""
    rql = ";".join(filter(None, (condition, f"readonly.customeridentifier.id=={customer_id}")))
    query = {"rql": rql, "detail": detail, "itemdetail": "None", "pgsiz": rows, "pgnum": 1}
    return f"/orders?{urlencode(query, quote_via=quote)}"


def is_number(order_number: str) -> str:
    """Return the condition that an order has this number."""
    return f"referenceNum=={_escape(order_number)}"


def is_one_of(order_numbers: Iterable[str]) -> str:
    """Return the condition that an order has one of these numbers."""
    return f"referenceNum=in=({','.join(map(_escape, order_numbers))})"


def _escape(value: str) -> str:
    return _SPECIAL.sub(lambda match: f"%{ord(match[0]):02X}", value)
