"""Hooks of a store come with a right token and are not taken: each is lost, until a person mends what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.attention.item import Cause, Item, Sources
from pipeline.inbox.turned_away import TurnedAwayHooks, turned_away
from pipeline.ledger.engine import reading
from pipeline.ledger.silence.alarms import MERCHANT, OPERATOR
from pipeline.ledger.tables import Store
from pipeline.plural import counted
from pipeline.silence.words import when

NAME = "hooks_turned_away"
LASTS_US = 86_400_000_000  # after the last one
_EFFECT = "They are lost. What Cratejoy's API shows of them is found later, if the store has keys of Cratejoy."
# Status -> who can mend it, what is wrong, what to do. Other statuses pass by themselves.
_MENDED_BY: dict[str, tuple[str, str, str]] = {
    "404": (
        MERCHANT,
        "come to an address that is not one of its hook URLs",
        (
            "Compare the URLs in Cratejoy with those of `cratewire hooks list --store {store}`, and look whether a "
            "proxy changes the path."
        ),
    ),
    "405": (
        MERCHANT,
        "are sent neither by POST nor by GET",
        "Register them in Cratejoy as POST: `cratewire hooks sync --store {store}` does it.",
    ),
    "413": (OPERATOR, "are too large", "Raise CRATEWIRE_MAX_HOOK_BYTES, and the proxy's limit."),
    "415": (
        MERCHANT,
        "are packed or written in a way that is not read",
        "Have them sent as JSON or as a form, plain or packed with gzip or deflate.",
    ),
}


def _look(sources: Sources) -> Iterator[Item]:
    found = [one for one in turned_away(sources.redis, sources.now - LASTS_US) if one.status in _MENDED_BY]
    if not found:
        return
    with reading(sources.engine) as db:
        stores = {row.name: row.id for row in db.execute(select(Store.name, Store.id))}
    for one in sorted(found, key=lambda one: (one.store, one.status)):
        if one.store in stores:
            yield _item(one, stores[one.store])


def _item(one: TurnedAwayHooks, store_id: int) -> Item:
    audience, what, to_do = _MENDED_BY[one.status]
    return Item(
        NAME,
        f"{one.store} {one.status}",
        audience,
        f"{one.store}: hooks {what}",
        _EFFECT,
        to_do.format(store=one.store),
        one.last_at,
        one.store,
        store_id,
        (f"{counted(one.count, 'hook')} answered with {one.status}, the last at {when(one.last_at)}.",),
        one.status,
    )


CAUSE = Cause(NAME, _look)
