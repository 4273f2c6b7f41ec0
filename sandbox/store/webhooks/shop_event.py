"""An event of the shop, before its hook is sent."""

from dataclasses import dataclass
from typing import Any

from sandbox.store.state import Row

EVENTS = (
    "checkout_failed", "customer_new", "address_updated", "billing_updated", "design_updated", "inventory_updated",
    "order_updated", "order_new", "shipment_cancelled", "shipment_shipped", "subscription_cancelled",
    "subscription_new", "subscription_renew_failed", "subscription_renewed", "subscription_updated",
    "transaction_new", "shipment_address_updated",
)  # fmt: skip


@dataclass(frozen=True)
class ShopEvent:
    """`row` is the object the body is made from; `order` and `subscription` identify the gift it may concern."""

    event: str
    subject: str
    row: Row
    detail: Any = None
    customer: Row | None = None
    order: Row | None = None
    subscription: Row | None = None

    @property
    def subject_id(self) -> int | None:
        return self.row.get("id")

    @property
    def gift(self) -> str | None:
        """The kind of gift this is about, or None."""
        owner = self.subscription or self.order
        return owner["_gift"] if owner else None

    @property
    def origin(self) -> str | None:
        """The place of the order or subscription this is about, storefront or marketplace; None without either."""
        owner = self.subscription or self.order or (self.row if self.subject == "checkout" else None)
        return owner["_channel"] if owner else None

    @property
    def concerns_recipient(self) -> bool:
        """A gift's order, subscription and boxes concern its recipient; what its buyer pays does not."""
        return self.subject in {"order", "subscription", "shipment"}

    @property
    def recipient(self) -> str | None:
        """The folded address of the gift recipient, if that is not the buyer."""
        owner = self.subscription or self.order
        return owner["_recipient"] if owner and self.concerns_recipient else None

    @property
    def test(self) -> bool:
        return bool(self.row.get("is_test") or (self.order or {}).get("is_test"))
