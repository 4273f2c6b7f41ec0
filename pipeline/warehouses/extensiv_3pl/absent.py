"""Asks which of many numbers have no order yet: 50 numbers in one call.

That `=in=` works on `referenceNum` is documented of the operator, not of the field. A tenant that refuses it is not
asked so again for an hour: its orders are looked up one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.core.fulfilment import Trouble
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.base import SharedValues
from pipeline.warehouses.calls import Endpoint
from pipeline.warehouses.extensiv_3pl.api import Api
from pipeline.warehouses.extensiv_3pl.problems import read_problem
from pipeline.warehouses.extensiv_3pl.reading import Listing, parse_orders
from pipeline.warehouses.extensiv_3pl.rql import is_one_of, order_query
from pipeline.warehouses.json_texts import as_text

NUMBERS_PER_CALL = 50
REFUSED_FOR_S = 3_600.0
_MAX_ROWS = 1_000  # more is an error; a number may have several orders
_BAD_REQUEST = 400


class ManyNumbers:
    """The look-ups of one customer."""

    def __init__(self, api: Api, customer_id: int, values: SharedValues) -> None:
        self._api = api
        self._customer_id = customer_id
        self._values = values
        self._key = f"{api.account}:refuses_in"

    def find_absent(self, order_numbers: Sequence[str]) -> Collection[str]:
        """Those of the first 50 numbers that have no order; none of them if the answer leaves that open."""
        asked = set(order_numbers[:NUMBERS_PER_CALL])
        if self._values.get(self._key) is not None:
            return ()
        path = order_query(self._customer_id, is_one_of(sorted(asked)), rows=_MAX_ROWS, detail="None")
        response = self._api.call(Endpoint("GET", path, "/orders"))
        if isinstance(response, HTTPResponse) and refuses_query(response):
            self._values.put(self._key, {"is_refused": "yes"}, REFUSED_FOR_S)
            return ()
        return _read_absent(asked, parse_orders(response))


def refuses_query(response: HTTPResponse) -> bool:
    """Return whether the tenant does not understand the query."""
    problem = read_problem(response) if response.status == _BAD_REQUEST else None
    return problem is not None and problem.code in {"NotParsable", "DoesNotExist"}


def _read_absent(asked: set[str], listing: Listing | Trouble) -> Collection[str]:
    """Only a list that is whole, and has no other orders than those asked for, shows what is absent."""
    if not isinstance(listing, Listing) or listing.total != len(listing.rows):
        return ()
    there = {as_text(row.get("referenceNum")) for row in listing.rows}
    return asked - there if there <= asked else ()
