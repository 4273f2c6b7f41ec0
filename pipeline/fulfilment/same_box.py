"""Whether the order that a warehouse shows is the box that we would send: nothing else may be taken for it.

Warehouses change what they are given: they write addresses in upper case, complete a ZIP code by four digits (as in
CartRover's own sample), and drop accents. So only SKUs with quantities, the ZIP code and the name are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pipeline.core.fulfilment import Order, WarehouseOrder

Comparison = Literal["same", "different", "not_shown"]

_ZIP_PLUS_4 = re.compile(r"(\d{5})\d{4}")
_LETTERS = str.maketrans(
    {"ß": "ss", "Æ": "AE", "æ": "ae", "Ø": "O", "ø": "o", "Œ": "OE", "œ": "oe", "Ł": "L", "ł": "l"}
)


def compare_box(order: Order, found: WarehouseOrder) -> Comparison:
    """Compare by our own fingerprint where the warehouse gives it back, else by content, if it shows any."""
    if found.fingerprint:
        return "same" if found.fingerprint == order.fingerprint else "different"
    if found.content is None:
        return "not_shown"
    lines = ((line.sku, line.quantity) for line in order.lines)
    is_same = (
        count_pieces(lines) == count_pieces(found.content.lines)
        and normalize_zip(order.ship_to.zip) == normalize_zip(found.content.zip)
        and normalize_name(order.ship_to.name) == normalize_name(found.content.name)
    )
    return "same" if is_same else "different"


def count_pieces(lines: Iterable[tuple[str, int]]) -> Counter[str]:
    """Return the quantity of each SKU: a warehouse may join equal lines, or split one."""
    counts: Counter[str] = Counter()
    for sku, quantity in lines:
        counts[sku.strip().upper()] += quantity
    return +counts


def normalize_zip(text: str) -> str:
    """Return the code without spaces and hyphens, in upper case, and a ZIP+4 without the four."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    plus_4 = _ZIP_PLUS_4.fullmatch(plain)
    return plus_4[1] if plus_4 else plain


def normalize_name(text: str) -> str:
    """Return the letters and digits of a name in upper case, without accents: "O'Neil" is also written "O NEIL"."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(character for character in plain if character.isalnum()).upper()
