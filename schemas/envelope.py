"""The envelope of a list answer: a page of results and where the next one is."""

from __future__ import annotations

from typing import Any, TypedDict

from schemas.base import WireSchema
from schemas.fields import AnyValue, Integer, Text


class Envelope(TypedDict, total=False):
    """A page, as loaded."""

    count: int | None
    next: str | None
    prev: str | None
    results: Any


class EnvelopeSchema(WireSchema):
    """A page, as sent."""

    count = Integer()
    next = Text()  # a query string such as "?page=2", to be joined to the collection's address
    prev = Text()
    results = AnyValue()
