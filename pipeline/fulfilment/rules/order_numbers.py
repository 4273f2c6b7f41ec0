"""Order numbers: the shipment's id, with `SUB-` for a subscription's box and `-R1` for one that is sent again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.core.fulfilment import Kind

_PREFIX = {"subscription": "SUB-", "order": ""}
_NUMBER = re.compile(r"(SUB-)?([0-9]{1,19})(?:-R([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class OrderNumber:
    """The parts of a number. It is ours only if the ledger has it: a warehouse serves other shops, too."""

    shipment_id: int
    kind: Kind
    resend_no: int = 0


def format_order_number(number: OrderNumber) -> str:
    """Return the text: decided once for each box, then stored. Extensiv's numbers, so that both systems agree."""
    suffix = f"-R{number.resend_no}" if number.resend_no else ""
    return f"{_PREFIX[number.kind]}{number.shipment_id}{suffix}"


def could_be_ours(number: OrderNumber, known: tuple[int, int] | None) -> bool:
    """Return whether the store may have a shipment of this id. `known`: the smallest and largest that it has.

    Other shops of a warehouse number their orders, too, and mostly without a prefix. Cratejoy's ids grow, so that those
    of a shop's boxes lie together; there is room above for boxes that a restored ledger does not know yet.
    """
    if number.kind == "subscription":
        return True
    return known is not None and known[0] <= number.shipment_id <= known[1] + (known[1] // 10)


def parse_order_number(text: str) -> OrderNumber | None:
    """Return the parts of a number that looks like one of ours, or None. Warehouses may change its case."""
    match = _NUMBER.fullmatch(text.strip().upper())
    if match is None:
        return None
    prefix, shipment_id, resend_no = match.groups()
    return OrderNumber(int(shipment_id), "subscription" if prefix else "order", int(resend_no or 0))
