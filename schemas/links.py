"""Relations the store sends as an address or a bare id instead of an object (Cratejoy docs: object relationships)."""

from __future__ import annotations

import re
from typing import Any

from schemas.clean import normalize_text
from schemas.fields import MAX_INTEGER

_DIGITS = re.compile(r"[0-9]{1,19}")


def parse_link(value: object) -> str | None:
    """The address in a value, or None: a path such as `/v1/customers/7093400011`, or a whole URL."""
    text = normalize_text(value) if isinstance(value, str) else None
    return text if text and text.startswith(("/", "https://", "http://")) else None


def parse_reference(value: object) -> dict[str, Any] | None:
    """`{"id", "link"}` as far as the value tells them, or None if it refers to nothing."""
    link = parse_link(value)
    found = _parse_id(_last_segment(link) if link else value)
    reference: dict[str, Any] = {} if found is None else {"id": found}
    if link:
        reference["link"] = link
    return reference or None


def _last_segment(link: str) -> str:
    """Only the end is the thing's own id: `/v1/shipments/7/ship_address` tells the id of no address."""
    path = link.partition("?")[0].partition("#")[0]
    return path.rstrip("/").rpartition("/")[2]


def _parse_id(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if _DIGITS.fullmatch(text) else None
    return value if type(value) is int and 0 <= value <= MAX_INTEGER else None
