"""Bodies that no store should send: good bodies, damaged in many ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

Mutation = Callable[[Random, bytes], bytes]
DEPTH = 10_000
ODD_NUMBERS = (b"NaN", b"Infinity", b"1e309", b"-0", b"9" * 400, b"1e-400", b"0x10")
ODD_VALUES = ("null", "[]", "{}", '""', "true", "-1", '"\\u0000"', '"\\ud800"', "1.5", '"' + "a" * 5_000 + '"')


def mutate(rng: Random, body: bytes) -> bytes:
    """A body with one to three faults."""
    for _ in range(rng.randint(1, 3)):
        body = rng.choice(MUTATIONS)(rng, body)
    return body


def _cut(rng: Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _flip(rng: Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    for _ in range(min(len(damaged), rng.randint(1, 8))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def _insert(rng: Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    junk = rng.choice([b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\u0000", b'"', b"{", b"}}", b"\n", b"\xf0\x9f"])
    return body[:at] + junk + body[at:]


def _number(rng: Random, body: bytes) -> bytes:
    return body.replace(b"2990", rng.choice(ODD_NUMBERS), 1)


def _value(rng: Random, body: bytes) -> bytes:
    """Something of the wrong type in the place of a field's value."""
    try:
        read = json.loads(body)
        name = rng.choice(list(read))
    except (ValueError, TypeError, IndexError, RecursionError):
        return body
    rest = {key: value for key, value in read.items() if key != name} if isinstance(read, dict) else {}
    return f'{{"{name}": {rng.choice(ODD_VALUES)}, {json.dumps(rest)[1:]}'.encode("utf-8", "surrogatepass")


def _twice(_: Random, body: bytes) -> bytes:
    """The same keys again."""
    return body[:-1] + b", " + body[1:] if body.startswith(b"{") else body


def _wrapped(rng: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    for _ in range(rng.randint(1, 8)):
        if len(text) > 200_000:  # noqa: PLR2004 each layer doubles the backslashes
            break
        text = json.dumps(text)
    return text.encode()


def _deep(rng: Random, body: bytes) -> bytes:
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return opening * DEPTH + body[:20] + closing * rng.choice([DEPTH, 0])


def _form(_: Random, body: bytes) -> bytes:
    return b"payload=" + body.replace(b" ", b"+")


def _nothing(rng: Random, _: bytes) -> bytes:
    return rng.choice([b"", b" ", b"null", b"[]", b'""', b"0", b"\x00" * 100, b"\xef\xbb\xbf{}"])


MUTATIONS: tuple[Mutation, ...] = (
    *(_cut, _flip, _insert, _number, _value, _twice, _wrapped, _form),
    *(_flip, _insert, _value, _deep, _nothing),
)
