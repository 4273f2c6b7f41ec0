"""What is different in the second run of a rehearsal, applied to the rows that it starts with."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.core.errors import Misconfigured
from pipeline.events.catalogue import EVENTS
from pipeline.ledger.stores import StoreRow

Row = dict[str, Any]
StartingRows = Mapping[str, Sequence[Row]]  # by table

STORE_SETTINGS = ("forward_also", "not_forwarded", "forward_tests", "marketplace_policy", "gift_recipients")


@dataclass(frozen=True, slots=True)
class RehearsedChange:
    """What differs from how things are. With nothing set the two runs differ by their versions alone.

    `mappings`: the JSON of a mapping by the id of its connection; None: all is sent under our names.
    `store`: columns of the store, of STORE_SETTINGS. `platform`: of a connection more, with a mapping of its own, and
    with its config where a request depends on it.
    """

    mappings: Mapping[int, str | None] = field(default_factory=dict)
    store: Mapping[str, Any] = field(default_factory=dict)
    platform: str | None = None
    platform_mapping: str | None = None
    platform_config: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.store) - set(STORE_SETTINGS))
        if unknown:
            raise Misconfigured(f"{', '.join(unknown)}: a rehearsal can change {', '.join(STORE_SETTINGS)}")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return self == RehearsedChange()


NO_CHANGE = RehearsedChange()


def choose_events(store: StoreRow, sent: Collection[str], kept: Collection[str]) -> dict[str, list[str]]:
    """Return the columns of a store that also sends and keeps these events. Raise Misconfigured for an unknown one."""
    unknown = sorted({*sent, *kept} - EVENTS.keys())
    if unknown:
        raise Misconfigured(f"no such event: {', '.join(unknown)}; there are: {', '.join(sorted(EVENTS))}")
    now = {name for name, row in EVENTS.items() if store.forwards(name, by_default=row.forwarded)}
    then = (now | set(sent)) - set(kept)
    return {
        "forward_also": [name for name, row in EVENTS.items() if name in then and not row.forwarded],
        "not_forwarded": [name for name, row in EVENTS.items() if name not in then and row.forwarded],
    }


def dump_change(change: RehearsedChange) -> str:
    """Return the change as JSON."""
    return json.dumps(asdict(change), sort_keys=True)


def load_change(text: str) -> RehearsedChange:
    """Return a change from its JSON."""
    values = json.loads(text)
    return RehearsedChange(**{**values, "mappings": {int(key): value for key, value in values["mappings"].items()}})


def find_new_connection_id(connection_ids: Sequence[int]) -> int:
    """Return the id that a connection more has in a rehearsal."""
    return max(connection_ids, default=0) + 1


def apply_change(change: RehearsedChange, rows: StartingRows) -> StartingRows:
    """Return the starting rows of the store and its connections with the change; other tables are not looked at."""
    connections = [_apply_mapping(change, row) for row in rows.get("connections", ())]
    if change.platform is not None:
        store_id = rows["stores"][0]["id"]
        number = find_new_connection_id([row["id"] for row in connections])
        connections.append(_build_connection(change, store_id, number))
    stores = [{**row, **change.store} for row in rows.get("stores", ())]
    return {**rows, "stores": stores, "connections": connections}


def _apply_mapping(change: RehearsedChange, row: Row) -> Row:
    return {**row, "mapping": change.mappings[row["id"]]} if row["id"] in change.mappings else row


def _build_connection(change: RehearsedChange, store_id: int, number: int) -> Row:
    return {
        "id": number,
        "store_id": store_id,
        "platform": change.platform,
        "label": "rehearsal",
        "account": "rehearsal",
        "status": "active",
        "status_at": 0,
        "lanes": 1,
        "created_at": 0,
        "mapping": change.platform_mapping,
    }
