"""What the event of a gift recipient must not contain: amounts, and what identifies the giver."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_AMOUNT_WORDS = ("price", "total", "subtotal", "amount", "revenue", "tax", "fee", "credit", "discount")
_ENDINGS = ("", "s", "es", "ed", "able")
_AMOUNTS = frozenset(word + ending for word in _AMOUNT_WORDS for ending in _ENDINGS)

_WORD_IN_KEY = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")


class Giver(NamedTuple):
    """What identifies a giver."""

    email: str
    last_name: str


def find_leaks(data: Mapping[str, Any], giver: Giver, own_last_name: str) -> list[str]:
    """Return the private values in a recipient's event data. A last name that both share is not private."""
    found = [f"an amount ({key})" for key in sorted(set(_keys(data))) if _AMOUNTS & set(_words_of_key(key))]
    texts = [text.lower() for text in _texts(data)]
    if giver.email and any(giver.email in _EMAIL.findall(text) for text in texts):
        found.append("the giver's e-mail address")
    last_name = giver.last_name.lower()
    if last_name and last_name != own_last_name.lower() and any(last_name in _WORD.findall(text) for text in texts):
        found.append("the giver's last name")
    return found


def _words_of_key(key: str) -> list[str]:
    return [word.lower() for word in _WORD_IN_KEY.findall(key)]


def _keys(content: object) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(content, list):
        for value in content:
            yield from _keys(value)


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)
