"""Hooks to put into the inbox."""

from pipeline.inbox.entry import RawHook


def hook(number: int = 1, size: int = 0, **changes) -> RawHook:
    values = {
        "receipt": f"r{number}",
        "store": "acme",
        "version": 1,
        "event": "order_new",
        "received_at": 1_700_000_000_000_000 + number,
        "raw": b"x" * size or b"{}",
    }
    return RawHook(**(values | changes))


def hooks(count: int, first: int = 1) -> list[RawHook]:
    return [hook(number) for number in range(first, first + count)]
