"""The activity log of a workspace: outcomes that the vendor reports nowhere but there, because it answers 200."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

UPDATE_FAILURE = "Attribute Update Failure"
FAILED_CHANGE = "Failed Attribute Change"
STALE_ATTRIBUTE = "Older attribute ignored"
TOO_MANY_ATTRIBUTES = "Attribute beyond the limit per person ignored"
DROPPED_CIO_ID = "Dropped: unknown cio_id"
DROPPED_UNKNOWN = "Dropped: event for an unknown person"
DROPPED_LOAD = "Dropped under load"
SUPPRESSED = "Suppressed"
DUPLICATE_EVENT = "Duplicate event ignored"
BARE_PROFILE = "Event created a bare profile"
NOT_A_ULID = "Event id is not a ULID"
FAR_FUTURE = "Event timestamp lies far in the future"
RESERVED_KEY = "Event data overrides campaign settings"
MERGE_IGNORED = "Merge ignored"
NOT_HELD = "Accepted but not held by the sandbox"

MAX_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log."""

    n: int
    at: int
    call: int
    kind: str
    person: str
    detail: str

    def as_json(self) -> Mapping[str, Any]:
        """Return the entry as the control endpoint shows it."""
        return asdict(self)


class ActivityLog:
    """The newest entries, and the count of each kind."""

    def __init__(self) -> None:
        """Create an empty log."""
        self.counts: Counter[str] = Counter()
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)

    def __len__(self) -> int:
        """Return the number of stored entries."""
        return len(self._entries)

    def add(self, at: int, call: int, kind: str, person: str, detail: str) -> None:
        """Append an entry."""
        self.counts[kind] += 1
        self._entries.append(Entry(self.counts.total(), at, call, kind, person, detail))

    def entries(self) -> list[Entry]:
        """Return the stored entries, oldest first."""
        return list(self._entries)
