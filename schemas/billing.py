"""Product billing: when a product's subscriptions are charged. Not the customer's saved card."""

from __future__ import annotations

from schemas.base import Resource, ResourceData
from schemas.fields import Id, Integer


class Billing(ResourceData, total=False):
    """Product billing, as loaded."""

    store_id: int | None
    rebill_day: int | None
    rebill_months: int | None
    rebill_weeks: int | None
    rebill_window: int | None


class BillingSchema(Resource):
    """Product billing, as sent."""

    store_id = Id()
    rebill_day = Integer()
    rebill_months = Integer()
    rebill_weeks = Integer()
    rebill_window = Integer()
