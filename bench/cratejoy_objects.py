"""The objects a Cratejoy store puts into hooks, filled in by number: the same number gives the same object."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
STORE = 4200350
_FIRST_ID = 7_200_000_000
_KINDS = ("customer", "order", "subscription", "shipment", "transaction", "address", "gift", "fulfillment")


def make_id(kind: str, number: int) -> int:
    """The id of the object of that kind and number; never that of another."""
    return _FIRST_ID + number * len(_KINDS) + _KINDS.index(kind)


def make_time(number: int, hours: int = 0) -> str:
    """A time in spring 2026 that grows with the number."""
    minutes, second = divmod(number, 60)
    hour, minute = divmod(minutes, 60)
    return f"2026-03-{1 + hour // 24 % 28:02}T{(hour + hours) % 24:02}:{minute:02}:{second:02}Z"


def customer(number: int) -> Object:
    """A buyer."""
    fields = {"country": "US", "location": "ID, US", "type": "customer"}
    name = {"first_name": "Maren", "last_name": f"Quill{number}", "name": f"Maren Quill{number}"}
    return {**fields, **name, "email": f"maren.quill{number}@example.org", "id": make_id("customer", number)}


def recipient(number: int) -> str:
    """The address the giver typed."""
    return f"tobias.lund{number}@example.net"


def gift_info(number: int) -> Object:
    """The card of a gift, as the giver filled it in."""
    who = {"gift_recipient_email": recipient(number), "gift_recipient_name": f"Tobias Lund{number}"}
    return {"gift_message": "Since you like maps.\nM.", "id": make_id("gift", number), **who}


def address(number: int) -> Object:
    """The address of a box."""
    place = {"street": f"{number} Larch Row", "unit": "Flat 12", "city": "Duluth", "state": "MN", "zip_code": "55802"}
    more = {"company": "", "country": "US", "icon": "United-States.png", "phone_number": "5550142", "status": 1}
    return {
        **place,
        **more,
        "id": make_id("address", number),
        "status_message": None,
        "to": "A. Body",
        "type": "address",
    }


def order(number: int, who: int, *, gift: bool) -> Object:
    """An order; a gift has its recipient beside it."""
    money = dict.fromkeys(("card_refunded_amount", "credit_applied", "gift_card_discount", "gross_shipping"), 0)
    more = dict.fromkeys(("refunded_amount", "total_shipping", "total_tax", "transaction_fee"), 0)
    empty = dict.fromkeys(("note", "prorated_charge", "refund_applied", "total_app_fees", "total_label_cost"))
    state = {"financial_status": "paid", "fulfillment_status": "unfulfilled", "status": "open", "type": "order"}
    flags = {"is_gift": gift, "is_renewal": False, "is_test": False, "gift_renewal_notif": False}
    ours = {"id": make_id("order", number), "customer_id": make_id("customer", who), "store_id": STORE}
    total = {"sub_total": 2990, "total": 2990, "total_price": 2990, "placed_at": make_time(number)}
    given = {"order_gift_info": gift_info(number) if gift else None, "gift_message": ""}
    return {**money, **more, **empty, **state, **flags, **ours, **total, **given, "customer": customer(who)}


def subscription(number: int, who: int, *, gift: bool) -> Object:
    """A monthly subscription."""
    term = {"description": "Charged every month", "enabled": True, "id": 61, "images": [], "name": "Month to Month"}
    billing = {"id": 63, "rebill_day": 15, "rebill_months": 1, "rebill_weeks": None, "rebill_window": 10}
    product = {"deleted": False, "id": 62, "name": "Lantern Box", "product_type": 0, "sku": "LX70", "visible": True}
    state = {"autorenew": not gift, "billing_name": "Monthly", "credit": None, "is_test": False, "note": None}
    dates = {"start_date": make_time(number), "end_date": make_time(number, 12), "skipped_date": None}
    parts = {"term": {**term, "num_cycles": 1}, "billing": billing, "product": product, "address": address(number)}
    ours = {"id": make_id("subscription", number), "store_id": STORE, "status": "active", "type": "subscription"}
    given = {"subscription_gift_info": gift_info(number) if gift else None}
    return {**state, **dates, **parts, **ours, **given, "customer": customer(who)}


def shipment(number: int, who: int, *, gift: bool) -> Object:
    """A box that left, with the order it fulfils."""
    instance = {"deleted": False, "gift": False, "id": 64, "images": [], "price": 0, "sku": "LX70", "variants": []}
    box = {"cycle_number": 0, "id": make_id("fulfillment", number), "is_test": False, "instance": instance, "tax": 0}
    ours = {"id": make_id("shipment", number), "customer_id": make_id("customer", who), "is_gift": gift, "labels": []}
    filled = {**box, "order": order(number, who, gift=gift), "shipment_id": ours["id"], "status": "closed"}
    sent = {"shipped_at": make_time(number, 1), "status": "shipped", "tracking_number": f"94001118995600{number:08}"}
    more = {"ship_address": address(number), "created_at": make_time(number), "is_test": False, "type": "shipment"}
    return {**ours, **sent, **more, "fulfillments": [filled], "customer": customer(who)}


def transaction(number: int, who: int, *, gift: bool) -> Object:
    """A payment, with its order."""
    paid = {
        "id": make_id("transaction", number),
        "created_at": make_time(number),
        "is_test": False,
        "result": "captured",
    }
    return {**paid, "order": order(number, who, gift=gift), "total": 2990, "type": "transaction"}
