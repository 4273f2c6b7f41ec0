"""Gifts: what a buyer typed at checkout (since 2017), and the redeemable gifts of before (Gifting 1.0)."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.customer import Customer
from schemas.fields import AnyValue, Email, Flag, Text, Time
from schemas.relations import ToOne


class OrderGiftInfo(ResourceData, total=False):
    """What a buyer typed about the gift, as loaded."""

    gift_message: str | None
    gift_recipient_email: str | None
    gift_recipient_name: str | None


class OrderGiftInfoSchema(Resource):
    """What a buyer typed about the gift, as sent."""

    gift_message = Text()
    gift_recipient_email = Email()
    gift_recipient_name = Text()


class SubscriptionGiftInfo(OrderGiftInfo, total=False):
    """The same, with the buyer, as loaded."""

    gift_sender: Customer | None


class SubscriptionGiftInfoSchema(OrderGiftInfoSchema):
    """The same, with the buyer, as sent."""

    gift_sender = ToOne("customer")


class Gift(ResourceData, total=False):
    """`received_gift` on the recipient's order, `sent_gift` on the giver's."""

    email: str | None
    name: str | None
    message: str | None
    gift_code: str | None
    status: Any
    status_text: str | None
    notif_sent: bool | None
    send_date: str | None
    expire_date: str | None


class GiftSchema(Resource):
    """A gift, as sent."""

    email = Email()
    name = Text()
    message = Text()
    gift_code = Text()
    status = AnyValue()  # 3 beside the text "Claimed" in captured payloads; no other is known
    status_text = Text()
    notif_sent = Flag()
    send_date = Time()
    expire_date = Time()
