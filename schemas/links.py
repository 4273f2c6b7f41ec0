"""Reads relations sent as an address or a bare id instead of an object (Cratejoy's docs: object relationships)."""

from __future__ import annotations

import re
from typing import Any

from schemas.fields import MAX_INTEGER
from schemas.safe_values import normalize_text

_DIGITS = re.compile(r"[0-9]{1,19}")


def parse_link(value: object) -> str | None:
    """Return the address in a value: a path such as `/v1/customers/7093400011`, or a whole URL. None: it has none."""
    text = normalize_text(value) if isinstance(value, str) else None
    return text if text and text.startswith(("/", "https://", "http://")) else None


def parse_reference(value: object) -> dict[str, Any] | None:
    """Return `{"id", "link"}` as far as the value has them, or None if it refers to nothing."""
    link = parse_link(value)
    number = _parse_id(_last_segment(link) if link else value)
    reference: dict[str, Any] = {} if number is None else {"id": number}
    if link:
        reference["link"] = link
    return reference or None


def _last_segment(link: str) -> str:
    """Return the end of the path, the only place of a resource's own id: `/v1/shipments/7/ship_address` has none."""
    path = link.partition("?")[0].partition("#")[0]
    return path.rstrip("/").rpartition("/")[2]


def _parse_id(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if _DIGITS.fullmatch(text) else None
    return value if type(value) is int and 0 <= value <= MAX_INTEGER else None
