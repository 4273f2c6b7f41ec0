"""The hooks that every system gets: 3 kB each, mixed events, a tenth of them gifts, as the store wraps them.

Each customer has five events, in order among those of forty others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from bench import cratejoy_objects

BODY_BYTES = 3_000  # bytes of a body on the wire
CUSTOMERS_PER_GROUP = 40  # customers whose hooks are mixed
HOOKS_PER_CUSTOMER = 5  # hooks of a customer
GIFT_SHARE = 0.1

# event -> its body, and of a hundred hooks about how many. All of them are forwarded.
_MIX: dict[str, tuple[Callable[..., cratejoy_objects.Object], int]] = {
    "order_new": (cratejoy_objects.order, 25),
    "transaction_new": (cratejoy_objects.transaction, 20),
    "shipment_shipped": (cratejoy_objects.shipment, 25),
    "subscription_new": (cratejoy_objects.subscription, 10),
    "subscription_renewed": (cratejoy_objects.subscription, 15),
    "order_updated": (cratejoy_objects.order, 5),
}
_RECIPIENT_EVENTS = frozenset({"order_new", "shipment_shipped", "subscription_new", "order_updated"})  # payments do not
_GIFT_SHARE_AMONG_THEM = GIFT_SHARE * 100 / sum(_MIX[event][1] for event in _RECIPIENT_EVENTS)


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook. `messages` is the number of people who receive it."""

    event: str
    body: bytes
    messages: int


def make_hooks(count: int, *, seed: int = 1, first: int = 0) -> list[Hook]:
    """Generate hooks, the same for the same seed. `first` is the number of the first object."""
    rng = Random(seed)
    events, weights = list(_MIX), [weight for _, weight in _MIX.values()]
    return [
        _hook(first + number, who, rng.choices(events, weights)[0], chance=rng.random())
        for number, who in zip(range(count), _customers(rng, first), strict=False)
    ]


def count_messages(hooks: Iterable[Hook]) -> int:
    """How many events the platform will have."""
    return sum(hook.messages for hook in hooks)


def make_order_hook(number: int, who: int) -> Hook:
    """An order that is no gift: for measures that need a single message of a given person."""
    return _hook(number, who, "order_new", chance=1.0)


def _customers(rng: Random, first: int) -> Iterable[int]:
    start = first
    while True:
        customers = list(range(start, start + CUSTOMERS_PER_GROUP)) * HOOKS_PER_CUSTOMER
        rng.shuffle(customers)
        yield from customers
        start += CUSTOMERS_PER_GROUP


def _hook(number: int, who: int, event: str, *, chance: float) -> Hook:
    gift = event in _RECIPIENT_EVENTS and chance < _GIFT_SHARE_AMONG_THEM
    return Hook(event, _encode_body(_MIX[event][0](number, who, gift=gift)), 1 + gift)


def _encode_body(body: dict[str, Any]) -> bytes:
    """A JSON string that holds JSON, with sorted keys: what the store sends. A note fills it up to its size."""
    missing = BODY_BYTES - len(_encode_twice(body | {"note": ""}))
    return _encode_twice(body | {"note": _PROSE[: max(0, missing)]})


def _encode_twice(body: dict[str, Any]) -> bytes:
    return json.dumps(json.dumps(body, sort_keys=True)).encode()


_PROSE = "Please leave the box with the neighbour at the corner if no one is at home; the bell is broken. " * 30
