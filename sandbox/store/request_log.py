"""The last requests to the API: when, what, and which status they got. Never their bodies or keys."""

from collections import deque
from threading import Lock
from typing import Any

MAX_ENTRIES = 20_000


class RequestLog:
    """A bounded list, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_ENTRIES)
        self._lock = Lock()

    def note(self, at: float, method: str, path: str, query: str, status: int) -> None:
        with self._lock:
            entry = {"at": at, "method": method, "path": path, "query": query, "status": status}
            self._entries.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._entries)
