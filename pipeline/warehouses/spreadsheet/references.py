"""The reference of a box in a spreadsheet: by it alone a returned row finds its box.

A reference begins with letters, so that no spreadsheet takes it for a number or a date, and ends with three letters
that are made from the rest, so that neither a typing error nor another number of the shop is taken for it. It fits into
the 25 characters of a line that Pirate Ship prints on a label.
"""

from __future__ import annotations

import hashlib
import re

_PREFIX = "CW"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that they make no words
_REFERENCE = re.compile(r"CW-([A-Z0-9-]{1,40})-([B-Z]{3})")


def make_reference(order_number: str) -> str:
    """Return the reference of an order, such as "CW-SUB-90000001-RXQ"."""
    return f"{_PREFIX}-{order_number}-{_make_check(order_number)}"


def looks_like_reference(text: str) -> bool:
    """Return whether the text is written like a reference, right or wrong."""
    return bool(_REFERENCE.fullmatch(_normalize(text)))


def read_reference(text: str) -> str | None:
    """Return the order number of a reference, or None if the text is none, or its last letters do not fit."""
    match = _REFERENCE.fullmatch(_normalize(text))
    return match[1] if match and _make_check(match[1]) == match[2] else None


def _normalize(text: str) -> str:
    return text.strip().upper()


def _make_check(order_number: str) -> str:
    digest = hashlib.sha256(f"{_PREFIX} {order_number}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    letters = []
    for _ in range(3):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(letters)
