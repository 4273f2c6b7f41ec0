"""Replaces personal details in the data of an event, so that it can be kept as a sample.

Only what is known to name no one stays: numbers that are not ids, truth values, times, words of a fixed vocabulary, and
the names of products. Every other text is replaced, whatever it is. The same id or address becomes the same one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FIRST_ID = 1001
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2})?)?")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
# Words of Cratejoy's own vocabulary
_KEPT_TEXTS = frozenset(
    {
        *(
            "type",
            "status",
            "financial_status",
            "fulfillment_status",
            "subscription_status",
            "billing_type",
            "currency",
        ),
        *("source", "carrier_name", "carrier", "filetype", "charge_type", "event", "hook", "resource", "currency"),
    }
)
_PLACES_OF_PRODUCTS = frozenset(
    {"product", "product_instance", "instance", "term", "products", "inventory", "variants"}
)
_TEXTS_OF_PRODUCTS = frozenset({"name", "sku", "slug", "title", "product_type"})
_PERSONAL_NUMBERS = frozenset(
    {"phone", "zip", "zip_code", "latitude", "longitude", "lat", "lng", "last4", "birth_year"}
)
_REPLACEMENTS: Mapping[str, str] = {
    "first_name": "Robin",
    "last_name": "Sample",
    "name": "Robin Sample",
    "recipient_name": "Robin Sample",
    "phone": "+1 555 0100",
    "phone_number": "+1 555 0100",
    "street": "1 Sample Street",
    "city": "Sampletown",
    "state": "CA",
    "country": "US",
    "zip": "00000",
    "zip_code": "00000",
    "tracking_number": "SAMPLE0001",
    "tracking": "SAMPLE0001",
}


def replace_personal_details(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an event with every personal detail replaced."""
    replaced: dict[str, Any] = _Replacer().walk(data, "", in_product=False)
    return replaced


class _Replacer:
    """Remembers what it has replaced, so that what was equal stays equal."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._addresses: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def walk(self, value: Any, key: str, *, in_product: bool) -> Any:
        if isinstance(value, Mapping):
            inside = in_product or key in _PLACES_OF_PRODUCTS
            return {self._key(name): self.walk(item, name, in_product=inside) for name, item in value.items()}
        if isinstance(value, list):
            return [self.walk(item, key, in_product=in_product) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self._number(value, key)
        return self._text(str(value), key, in_product=in_product)

    def _key(self, name: str) -> str:
        if _KEY.fullmatch(name):
            return name
        return self._keys.setdefault(name, f"key_{len(self._keys) + 1}")

    def _number(self, value: float, key: str) -> float:
        if key in _PERSONAL_NUMBERS:
            return 0
        return self._id(str(value)) if _is_id(key) else value

    def _id(self, value: str) -> int:
        return self._ids.setdefault(value, FIRST_ID + len(self._ids))

    def _text(self, text: str, key: str, *, in_product: bool) -> str:
        if not text or (key in _KEPT_TEXTS and _KEY.fullmatch(text)):
            return text
        if in_product and key in _TEXTS_OF_PRODUCTS:
            return text
        if _is_id(key):
            return str(self._id(text))
        if _TIME.fullmatch(text):
            return text if "birth" not in key else "2000-01-01"
        if "@" in text or "email" in key:
            return self._addresses.setdefault(text, f"person{len(self._addresses) + 1}@example.com")
        return _REPLACEMENTS.get(key, "sample text")


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith(("_id", "_ids"))
