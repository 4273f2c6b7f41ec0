"""The record of every call to the vendor's paths: request, response and people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Item(NamedTuple):
    """An operation that a call requested."""

    person: str
    action: str
    name: str | None
    cio_id: str | None
    accepted: bool

    def as_json(self) -> Mapping[str, Any]:
        """Return the item as the control endpoint shows it."""
        return self._asdict()


@dataclass(slots=True)
class Call:
    """A request to the Track API. `path` is the template, so it contains no identifier."""

    number: int
    workspace: str | None
    method: str
    path: str
    started_at: int
    status: int = 0
    fault: str | None = None
    items: list[Item] = field(default_factory=list)

    def as_json(self) -> Mapping[str, Any]:
        """Return the call as the control endpoint shows it."""
        return {
            "call": self.number,
            "workspace": self.workspace,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "fault": self.fault,
            "started_at": self.started_at,
            "item_count": len(self.items),
            "items": [item.as_json() for item in self.items],
        }


class CallLog:
    """Every call since the last reset, in the order in which they began."""

    def __init__(self) -> None:
        """Create an empty log."""
        self.calls: list[Call] = []

    def begin(self, workspace: str | None, method: str, path: str, now: int) -> Call:
        """Open the record of a call."""
        call = Call(len(self.calls) + 1, workspace, method, path, now)
        self.calls.append(call)
        return call
