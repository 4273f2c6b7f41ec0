"""A subscription's term: how many boxes one charge pays for, and the price of a product under it."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas.base import Resource, ResourceData
from schemas.fields import AnyValue, Flag, Id, Integer, Money, Text


class Term(ResourceData, total=False):
    """A term, as loaded."""

    name: str | None
    description: str | None
    enabled: bool | None
    num_cycles: int | None
    images: Any


class TermSchema(Resource):
    """A term, as sent."""

    aliases: ClassVar = {"image": "images"}  # the relation's name in Cratejoy's docs

    name = Text()
    description = Text()
    enabled = Flag()
    num_cycles = Integer()
    images = AnyValue()


class TermPrice(ResourceData, total=False):
    """The price of a product instance under a term, as loaded."""

    price: int | None
    term_id: int | None


class TermPriceSchema(Resource):
    """The price of a product instance under a term, as sent."""

    price = Money()
    term_id = Id()
