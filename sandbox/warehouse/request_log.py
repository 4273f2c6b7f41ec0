"""The last requests to the warehouse's paths: when, what, which headers of the protocol, which status and fault."""

from collections import deque
from collections.abc import Mapping
from typing import Any

MAX_ENTRIES = 50_000
# Never a key: Authorization is left out.
HEADERS = ("accept", "content-type", "if-match", "webhook-id", "webhook-timestamp", "webhook-signature")


class RequestLog:
    """A bounded list, oldest first. It holds no bodies; the orders show what was received."""

    def __init__(self) -> None:
        """Create an empty log."""
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_ENTRIES)

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()

    def note(self, at: float, method: str, path: str, query: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Add an entry and return it; the caller fills in status and fault."""
        kept = {name: headers[name] for name in HEADERS if name in headers}
        entry = {
            "at": at,
            "method": method,
            "path": path,
            "query": query,
            "headers": kept,
            "status": None,
            "fault": None,
        }
        self._entries.append(entry)
        return entry

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries."""
        return list(self._entries)
