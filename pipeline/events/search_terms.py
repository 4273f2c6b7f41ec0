"""What the search finds an event or a person by: words of names, addresses and tracking numbers, folded.

Folding makes equal what people write in different ways: case, accents, apostrophes and the blanks of a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pipeline.events.fields import get_path

MAX_WORDS = 12  # of one name; a sender can make up any
MAX_WORD_CHARS = 60
_MIN_TRACKING_CHARS = 6
# Letters that are no letter with an accent to Unicode.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
    }
)
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc`\u00b4]")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)  # an order's hooks name the same people again and again
def fold_name(name: str) -> tuple[str, ...]:
    """Return the words of a name: `Mila Šimůnek-O'Hara` becomes ("mila", "simunek", "ohara")."""
    bare = _APOSTROPHES.sub("", _strip_accents(name[: MAX_WORDS * MAX_WORD_CHARS]))
    words = (word[:MAX_WORD_CHARS] for word in _NOT_WORD.split(bare) if word)
    return tuple(dict.fromkeys(words))[:MAX_WORDS]


def fold_address(address: str) -> str:
    """Return an e-mail address as the search compares it."""
    return "".join(_strip_accents(address).split())


def fold_tracking(number: str) -> str:
    """Return a tracking number without the blanks and hyphens with which it may be written."""
    return _NOT_WORD.sub("", number.casefold())[:MAX_WORD_CHARS]


def find_tracking_numbers(data: Mapping[str, Any]) -> set[str]:
    """Return the tracking numbers of a shipment's loaded data, folded."""
    labels = data.get("labels")
    found = [data.get("tracking_number")]
    found += [get_path(label, "tracking") for label in labels] if isinstance(labels, list) else []
    folded = {fold_tracking(number) for number in found if isinstance(number, str)}
    return {number for number in folded if len(number) >= _MIN_TRACKING_CHARS}


def read_names(kind: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names in what is known about a person: `fields` are a fact's, {name: [as of, value]}."""
    wanted = _NAME_FIELDS.get(kind, ())
    values = (fields[name][1] for name in wanted if name in fields)
    return tuple(value for value in values if isinstance(value, str) and value)


_NAME_FIELDS: Mapping[str, tuple[str, ...]] = {"customer": ("first_name", "last_name"), "gift_received": ("name",)}
KINDS_WITH_NAMES = frozenset(_NAME_FIELDS)


def fold_names(names: Iterable[str]) -> set[str]:
    """Return all words of these names."""
    return {word for name in names for word in fold_name(name)}


def _strip_accents(text: str) -> str:
    if text.isascii():  # as most names and addresses are
        return text.casefold().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_LETTERS)
