"""The bodies of hooks that have several models, in either of two shapes.

Cratejoy's docs name the models of these hooks but show no body: a model may be nested in the other, or stand beside it.
Loaded bodies have them side by side.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from schemas.base import Body, WireSchema
from schemas.customer import Customer
from schemas.fields import Text
from schemas.inventory import Inventory
from schemas.order import Order
from schemas.product import Product
from schemas.relations import ToOne
from schemas.report import Report, Trail
from schemas.transaction import Transaction


class SideBySideSchema(WireSchema):
    """A `subject` and its `companions`, each under its own name, however the store nested them."""

    subject: ClassVar[str]
    companions: ClassVar[tuple[str, ...]]

    def reshape(self, body: Body, report: Report, trail: Trail) -> Body:
        """Return the body with a bare subject under its name, and its companions beside it."""
        body = super().reshape(body, report, trail)
        if self.subject in body:
            return body
        beside = {key: value for key, value in body.items() if key in self.companions}
        inside = {key: value for key, value in body.items() if key not in self.companions}
        return beside | ({self.subject: inside} if inside else {})

    def read(self, body: Body, report: Report, trail: Trail) -> dict[str, Any]:
        """Read the body. A companion nested in the subject moves beside it, unless there is one already."""
        data = super().read(body, report, trail)
        subject = data.get(self.subject) or {}
        for name in self.companions:
            if name in subject and not data.get(name):
                data[name] = subject.pop(name)
        return data


class TransactionHook(TypedDict, total=False):
    """The body of transaction_new, as loaded."""

    transaction: Transaction | None
    order: Order | None
    customer: Customer | None


class TransactionHookSchema(SideBySideSchema):
    """The body of transaction_new, as sent."""

    subject = "transaction"
    companions = ("order", "customer")

    transaction = ToOne("transaction")
    order = ToOne("order")
    customer = ToOne("customer")


class CheckoutHook(TypedDict, total=False):
    """The body of checkout_failed, as loaded."""

    customer: Customer | None
    order: Order | None


class CheckoutHookSchema(SideBySideSchema):
    """The body of checkout_failed, as sent."""

    subject = "order"
    companions = ("customer",)

    customer = ToOne("customer")
    order = ToOne("order")


class InventoryHook(TypedDict, total=False):
    """The body of inventory_updated, as loaded."""

    inventory: Inventory | None
    product: Product | None


class InventoryHookSchema(SideBySideSchema):
    """The body of inventory_updated, as sent."""

    subject = "inventory"
    companions = ("product",)

    inventory = ToOne("inventory")
    product = ToOne("product")


class DesignHook(TypedDict, total=False):
    """The body of design_updated, as loaded."""

    theme_name: str | None
    file_changed: str | None


class DesignHookSchema(WireSchema):
    """The body of design_updated, as sent."""

    theme_name = Text()
    file_changed = Text()
