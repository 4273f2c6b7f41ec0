"""The hooks of a chaos run: orders of a few people, numbered, so that what arrives can be put in order."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from bench import cratejoy_objects

GIFT_EVERY = 10
EVENT = "order_new"


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook and what must arrive because of it."""

    number: int
    who: int
    body: bytes
    subject: str
    addresses: tuple[str, ...]  # the people who must receive it
    event: str = EVENT


def make_hook(number: int, who: int) -> Hook:
    """The order of that number. Every tenth is a gift; a giver always gives to the same person."""
    gift = number % GIFT_EVERY == GIFT_EVERY - 1
    body = cratejoy_objects.order(number, who, gift=gift)
    addresses = [str(body["customer"]["email"])]
    if gift:
        body["order_gift_info"] |= {
            "gift_recipient_email": cratejoy_objects.recipient(who),
            "id": cratejoy_objects.make_id("gift", who),
        }
        addresses.append(cratejoy_objects.recipient(who))
    return Hook(number, who, json.dumps(body).encode(), str(body["id"]), tuple(addresses))


def rewrap(one: Hook, form: int) -> Hook:
    """The same hook in another wire form: plain, a string in a string, with escaped quotes, as Python prints it."""
    body = json.loads(one.body)
    text = (json.dumps(body), json.dumps(json.dumps(body)), json.dumps(json.dumps(body))[1:-1], repr(body))[form]
    return replace(one, body=text.encode())
