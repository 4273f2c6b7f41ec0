"""A transaction: money moved, failed to move or went back."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.customer import Customer
from schemas.fields import AnyValue, Flag, Id, Money, PersonId, StatusWord, Time
from schemas.order import Order
from schemas.relations import ToOne

RESULT = {1: "authorized", 2: "captured", 3: "failed", 4: "refunded", 5: "failed_refund"}


class Transaction(ResourceData, total=False):
    """A transaction, as loaded."""

    created_at: str | None
    is_test: bool | None
    result: str | None
    total: int | None
    fee: int | None
    refund_total: int | None
    refunded: Any
    order_id: int | None
    customer_id: int | None
    reference_id: Any
    pay_provider_id: Any
    customer_pay_id: Any
    pay_id: Any
    customer: Customer | None
    order: Order | None


class TransactionSchema(Resource):
    """A transaction, as sent."""

    created_at = Time()
    is_test = Flag()
    result = StatusWord(RESULT)
    total = Money()
    fee = Money()
    refund_total = Money()
    refunded = AnyValue()  # an amount or a flag: undocumented
    order_id = Id()
    customer_id = PersonId()
    reference_id = AnyValue()
    pay_provider_id = AnyValue()
    customer_pay_id = AnyValue()
    pay_id = AnyValue()
    customer = ToOne("customer")
    order = ToOne("order")
