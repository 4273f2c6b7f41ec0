"""The hooks of a chaos run: orders of a few people, numbered, so that what arrives can be put in order."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bench import shapes

GIFT_EVERY = 10
EVENT = "order_new"


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook, and what must arrive because of it."""

    number: int
    who: int
    body: bytes
    subject: str
    addresses: tuple[str, ...]  # the people who are to hear of it


def hook(number: int, who: int, *, copies: int = 0) -> Hook:
    """The order of that number. Every tenth is a gift; a giver always gives to the same person."""
    gift = number % GIFT_EVERY == GIFT_EVERY - 1
    body = shapes.order(number, who, gift=gift)
    heard = [str(body["customer"]["email"])]
    if gift:
        body["order_gift_info"] |= {"gift_recipient_email": shapes.recipient(who), "id": shapes.an_id("gift", who)}
        heard.append(shapes.recipient(who))
    text = json.dumps(body)
    for _ in range(copies):
        text = json.dumps(text)
    return Hook(number, who, text.encode(), str(body["id"]), tuple(heard))
