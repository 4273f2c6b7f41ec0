"""ULIDs: 26 characters of Crockford's base 32 for a time in milliseconds and 80 further bits; they sort by time."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)  # ten bits at a time
_SHIFTS = tuple(range(120, -1, -10))
_MAX_TIME_MS = 2**48 - 1
_TAIL_BYTES = 10
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


@lru_cache(maxsize=2048)  # an event and its customer's copy share one
def make_ulid(ms: int, key: str) -> str:
    """Return the ULID of a key. `ms` is the time of the event, never of a clock: a retry makes the same ULID."""
    tail = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:_TAIL_BYTES]
    return _encode(ms, int.from_bytes(tail, "big"))


def new_receipt(now_us: int, random_bytes: bytes) -> str:
    """Return a receipt for a hook received now, from ten random bytes. Receipts sort by microsecond."""
    if len(random_bytes) != _TAIL_BYTES:
        raise ValueError(f"a receipt takes {_TAIL_BYTES} random bytes, not {len(random_bytes)}")
    ms, us = divmod(now_us, 1000)
    return _encode(ms, us << 70 | int.from_bytes(random_bytes, "big") >> 10)


def is_ulid(text: str) -> bool:
    return _ULID.fullmatch(text) is not None


def _encode(ms: int, tail: int) -> str:
    number = min(max(ms, 0), _MAX_TIME_MS) << 80 | tail
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
