"""Entries of the inbox for the links to read."""

from __future__ import annotations

import json
from typing import Any

from pipeline.inbox.entry import InboxEntry
from tests.builders import NOW

ORDER = {"id": 7015, "customer": {"id": 7001, "email": "bea.buyer@example.com"}, "total": 3495, "type": "order"}


def entry(raw: Any = ORDER, number: int = 1, **changes: Any) -> InboxEntry:
    """A hook whose body is these bytes, or this as JSON."""
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    names = {"receipt": f"r{number}", "store": "acme", "version": 1, "event": "order_new", "entry_id": f"{number}-0"}
    return InboxEntry(**{**names, "received_at": NOW + number, "raw": body, **changes})


def clock() -> int:
    return NOW + 1000
