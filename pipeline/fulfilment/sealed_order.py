"""The order of a box as the ledger keeps it: encrypted for its row, since it has the name and the address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.core.fulfilment import Address, Line, Order, Totals
from pipeline.infra.crypto.encryption import RowIdentity, decrypt, encrypt

_CONTENT = "order"


def seal_order(secret_keys: Sequence[str], identity: RowIdentity, order: Order) -> bytes:
    """Encrypt the order for this row."""
    return encrypt(secret_keys, {_CONTENT: json.dumps(asdict(order))}, identity)


def open_order(secret_keys: Sequence[str], identity: RowIdentity, payload: bytes) -> Order:
    """Decrypt the order of this row. Raises Misconfigured if no key fits, or if it belongs to another row."""
    return _build(json.loads(decrypt(secret_keys, payload, identity)[_CONTENT]))


def _build(stored: Mapping[str, Any]) -> Order:
    lines = tuple(Line(**{**line, "fulfillment_ids": tuple(line["fulfillment_ids"])}) for line in stored["lines"])
    parts = {"ship_to": Address(**stored["ship_to"]), "totals": Totals(**stored["totals"]), "lines": lines}
    return Order(**{**stored, **parts, "order_ids": tuple(stored["order_ids"])})
