"""Whether anything of a withheld person is at the platform: id, address or name, in whosever data."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.compare.profiles import Profile
from sandbox.compare.report import LEAK, Offence
from sandbox.compare.truth import Recipient, fold

_WORD = re.compile(r"[^\W_]+")

Row = Mapping[str, Any]


class Secret(NamedTuple):
    """A text that only a withheld person has, and what it is."""

    text: str
    kind: str


def find_leaked_data(withheld: list[Row], known: Iterable[Row], profiles: Iterable[Profile]) -> list[Offence]:
    """Return where something of a withheld person stands. Names that a person who may be known shares are no leak."""
    texts = [(profile, _write(profile)) for profile in profiles] if withheld else []
    places: dict[str, list[int]] = {}
    for number, (_, text) in enumerate(texts):
        for word in set(_WORD.findall(text)):
            places.setdefault(word, []).append(number)
    shared = {word for row in known for word in _list_name_marks(row)}
    return [
        Offence(LEAK, name_person(row), f"{secret.kind} is in profile {texts[number][0].cio_id}")
        for row in withheld
        for secret in _list_secrets(row, shared)
        for number in places.get(_WORD.findall(secret.text)[-1], ())
        if secret.text in texts[number][1] and secret.text not in _list_typed_marks(texts[number][0])
    ]


def name_person(row: Row) -> str:
    """Return the name of a person in a report: an id or a digest, never an address."""
    customer_id = row.get("customer_id")
    return Recipient(None if customer_id is None else str(customer_id), fold(row.get("email"))).name


def _write(profile: Profile) -> str:
    whole = {"id": profile.id, "email": profile.email, "attributes": profile.attributes, "events": profile.events}
    return json.dumps(whole, ensure_ascii=False, default=str).casefold()


def _list_secrets(row: Row, shared: set[str]) -> Iterator[Secret]:
    if row.get("customer_id") is not None:
        yield Secret(str(row["customer_id"]), "the id")
    yield Secret(fold(row["email"]), "the address")
    for mark in sorted(set(_list_name_marks(row)) - shared):
        yield Secret(mark, "a name")


def _list_typed_marks(profile: Profile) -> set[str]:
    """Return the marks of names that a giver has written beside the own address: they lead to no other person."""
    found: set[str] = set()
    waiting: list[Any] = [json.loads(_write(profile))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("gift_recipient_email") == fold(profile.email):
                found |= set(_list_name_marks({"name": part.get("gift_recipient_name")}))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _list_name_marks(row: Row) -> Iterator[str]:
    """Yield the words that the store adds to names so that they show whose they are: `bakuzo` of `Zoë-Bakuzo`."""
    for key in ("first_name", "last_name", "name"):
        for word in str(row.get(key) or "").split():
            _, dash, mark = word.rpartition("-")
            if dash and mark:
                yield mark.casefold()
