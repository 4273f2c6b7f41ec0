"""Loaded bodies for tests: what `schemas` makes of a hook, as small as a test allows. All people are invented."""

from __future__ import annotations

from typing import Any

BUYER = {"id": 7001, "email": "bea.buyer@example.com", "first_name": "Bea", "last_name": "Buyer", "name": "Bea Buyer"}
RECIPIENT = "rory.receiver@example.com"
HOUR = 3600 * 1_000_000
NOW = 1_772_470_000_000_000  # 2026-03-02T16:46:40Z in µs


def customer(**more: Any) -> dict[str, Any]:
    return {**BUYER, "country": "US", "location": "TX, US", "type": "customer", **more}


def gift_info(**more: Any) -> dict[str, Any]:
    fields = {"gift_message": "Enjoy!", "gift_recipient_email": RECIPIENT, "gift_recipient_name": "Rory Receiver"}
    return {"id": 7017, **fields, **more}


def order(**more: Any) -> dict[str, Any]:
    fields = {"id": 7015, "customer": customer(), "customer_id": 7001, "placed_at": "2026-03-02T17:04:31Z"}
    money = {"total": 3495, "sub_total": 3495, "total_tax": 0, "refunded_amount": 0}
    state = {"status": "open", "financial_status": "paid", "is_gift": False, "is_renewal": False, "is_test": False}
    return {**fields, **money, **state, "type": "order", **more}


def gift_order(**more: Any) -> dict[str, Any]:
    return order(**{"is_gift": True, "order_gift_info": gift_info(), **more})


def subscription(**more: Any) -> dict[str, Any]:
    dates = {"start_date": "2026-03-02T17:04:31Z", "end_date": "2026-04-15T00:00:00Z"}
    term = {"id": 61, "name": "Month to Month", "num_cycles": 1}
    product = {"id": 62, "name": "Sample Box", "sku": "SQ1"}
    state = {"status": "active", "autorenew": True, "is_test": False, "type": "subscription"}
    return {"id": 7021, "customer": customer(), **dates, "term": term, "product": product, **state, **more}


def shipment(**more: Any) -> dict[str, Any]:
    box = {"id": 7031, "subscription_id": 7021, "cycle_number": 0, "total_cycles": 3, "is_test": False}
    fields = {"id": 7033, "customer": customer(), "status": "shipped", "shipped_at": "2026-03-03T17:05:30Z"}
    return {**fields, "tracking_number": "9400100", "fulfillments": [box], "is_test": False, "type": "shipment", **more}


def transaction(**more: Any) -> dict[str, Any]:
    money = {"id": 7041, "created_at": "2026-03-02T17:04:33Z", "result": "captured", "total": 3495}
    return {"transaction": {**money, **more}, "order": order()}
