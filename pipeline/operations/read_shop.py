"""Reads what makes a merchant recognise their shop: what it sells, and how many customers it has.

The Merchant API does not name the shop itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis import RedisError

from pipeline.core.errors import CratewireError
from pipeline.core.plural import pluralize
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.pagination import Page

MAX_PRODUCTS = 3  # asked for
MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What could be read. `customers`: None if the API did not say how many there are."""

    customers: int | None = None
    products: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """The facts in one or two sentences; empty if nothing could be read."""
        sentences = []
        if self.products:
            sentences.append(f"This is the shop that sells {' and '.join(self.products[:2])}.")
        if self.customers is not None:
            sentences.append(f"It has {pluralize(self.customers, 'customer')}.")
        return " ".join(sentences)


def read_shop(api: CratejoyClient) -> ShopFacts:
    """Read the facts with two small requests. What cannot be read now is left out: the keys were checked before."""
    customers, products = _read_page(api, "customers", 1), _read_page(api, "products", MAX_PRODUCTS)
    names = [str(row.get("name") or "").strip() for row in products.results] if products else []
    usable = [name for name in names if name and name.isprintable() and len(name) <= MAX_NAME_CHARS]
    return ShopFacts(customers.count if customers else None, tuple(usable))


def _read_page(api: CratejoyClient, resource: str, limit: int) -> Page | None:
    try:
        return api.page(resource, limit=limit)
    except (CratewireError, RedisError):
        return None
