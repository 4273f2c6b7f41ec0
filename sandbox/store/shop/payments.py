"""The till: orders paid, refunded, or refused."""

from sandbox.store import dates
from sandbox.store.shop import channels
from sandbox.store.shop.shop import Shop, emit_order_event, emit_transaction_event, get_buyer
from sandbox.store.state import Row
from sandbox.store.webhooks.shop_event import ShopEvent

STORED_ORDER_SHARE = 0.7  # this share of failed orders has an id


def pay(shop: Shop, order: Row, result: str = "captured", total: int | None = None) -> Row:
    transaction_id = shop.state.new_id()
    transaction = {
        "created_at": dates.iso(shop.state.tick(2)),
        "id": transaction_id,
        "is_test": order["is_test"],
        "result": result,
        "total": order["total"] if total is None else total,
        "type": "transaction",
        "url": f"/v1/transactions/{transaction_id}/",
        "_customer_pay_id": order.get("_card_id"),
        "_order_id": order["id"],
    }
    shop.state.insert("transactions", transaction)
    emit_transaction_event(shop, transaction)
    return transaction


def settle(shop: Shop, order: Row) -> None:
    """Pay an order that was placed unpaid: it shows as a transaction and as a changed order."""
    order["financial_status"] = "paid"
    pay(shop, order)
    emit_order_event(shop, "order_updated", order, "paid")


def refund(shop: Shop, order: Row, amount: int, financial_status: str | None = None) -> None:
    """There is no event for a refund: it shows as a transaction and as a changed order."""
    order["financial_status"] = financial_status or order["financial_status"]
    order["card_refunded_amount"] += amount
    order["refunded_amount"] += amount
    get_buyer(shop, order)["total_revenue"] -= amount
    pay(shop, order, "refunded", amount)
    emit_order_event(shop, "order_updated", order, "refunded")


def fail_checkout(shop: Shop, customer: Row, price: int) -> None:
    """A card was refused. The order may never have been stored: its date is null, and some have no id."""
    order = {
        "customer_id": customer["id"],
        "financial_status": "unpaid",
        "id": shop.state.new_id() if shop.rng.random() < STORED_ORDER_SHARE else None,
        "is_gift": False,
        "is_test": False,
        "order_gift_info": None,
        "placed_at": None,
        "source": channels.get_source(shop.state.switches, customer["_channel"]),
        "total": price + shop.rng.choice((0, 495, 795)),
        "type": "order",
        "_channel": customer["_channel"],
    }
    shop.state.tick(2)
    shop.listener.report(ShopEvent("checkout_failed", "checkout", order, "payment", customer))
