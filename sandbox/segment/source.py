"""A source: takes calls, drops silently what Segment drops, and remembers why."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sandbox.segment.people import People

MAX_ITEM_BYTES = 32_000
MAX_BATCH_ITEMS = 2_500
MAX_MESSAGE_ID_CHARACTERS = 100
TYPES = ("identify", "track", "page", "screen", "group", "alias")


class Source:
    """What a write key stands for."""

    def __init__(self) -> None:
        """Begin empty."""
        self.people = People()
        self.dropped: Counter[str] = Counter()
        self.calls: list[list[dict[str, Any]]] = []
        self._message_ids: set[str] = set()

    def take_batch(self, batch: list[Any]) -> None:
        """Take the items of a batch; those beyond the limit are dropped."""
        self.dropped["over 2500 in a batch"] += max(0, len(batch) - MAX_BATCH_ITEMS)
        self.calls.append([])
        for item in batch[:MAX_BATCH_ITEMS]:
            self._take(item)

    def take_call(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take a call with an endpoint of its own."""
        self.calls.append([])
        self._take({**body, "type": kind})

    def _take(self, item: Any) -> None:
        fault = self._find_fault(item)
        if fault is not None:
            self.dropped[fault] += 1
            return
        if item.get("messageId"):
            self._message_ids.add(item["messageId"])
        person = self.people.find_or_add(item.get("userId"), item.get("anonymousId"))
        if item["type"] == "identify":
            person.traits |= item.get("traits") or {}
            person.traits = {name: value for name, value in person.traits.items() if value is not None}
        elif item["type"] == "track":
            event = {"id": item.get("messageId"), "name": item["event"], "at": item.get("timestamp")}
            person.events.append({**event, "data": item.get("properties") or {}})
        named = {"type": item["type"], "person": item.get("userId") or item.get("anonymousId")}
        self.calls[-1].append({**named, "name": item.get("event")})

    def _find_fault(self, item: Any) -> str | None:
        if not isinstance(item, dict) or item.get("type") not in TYPES:
            return "no call of a known type"
        if len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_ITEM_BYTES:
            return "over 32 kB"
        if not (item.get("userId") or item.get("anonymousId")):
            return "neither userId nor anonymousId"
        if item["type"] == "track" and not item.get("event"):
            return "a track without an event"
        message_id = item.get("messageId")
        if message_id is not None and len(str(message_id)) > MAX_MESSAGE_ID_CHARACTERS:
            return "a messageId over 100 characters"
        return "a repeated messageId" if message_id in self._message_ids else None
