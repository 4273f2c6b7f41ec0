"""The customers the demo's store has from before anybody listened to it, and what became of them."""

from __future__ import annotations

from collections.abc import Collection

from receiver.demo.ask import ask
from receiver.demo.stage import Stage


def populate(stage: Stage, hooks: int) -> list[int]:
    """Enough of them with a subscription that the life to come needs no others; their ids."""
    count = 2 * max(8, hooks // 40)
    ids: list[int] = ask(f"{stage.store['url']}/_sandbox/customers", {"count": count})["ids"]
    return ids


def arrived(stage: Stage, customers: Collection[int]) -> int:
    """How many of them have a profile at Customer.io."""
    people = ask(f"{stage.customerio['url']}/_sandbox/people")
    return len({one["id"] for one in people} & {f"cj_{number}" for number in customers})
