"""A postal address. It has a name (`to`) and never an e-mail address."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.fields import AnyValue, Text


class Address(ResourceData, total=False):
    """An address, as loaded."""

    to: str | None
    street: str | None
    unit: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    country: str | None
    company: str | None
    phone_number: str | None
    icon: str | None
    status: Any
    status_message: str | None


class AddressSchema(Resource):
    """An address, as sent."""

    to = Text()
    street = Text()
    unit = Text()
    city = Text()
    state = Text()
    zip_code = Text()
    country = Text()
    company = Text()
    phone_number = Text()
    icon = Text()
    status = AnyValue()  # documented as text, captured as 0 and 1 without a meaning
    status_message = Text()
