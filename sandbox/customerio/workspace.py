"""A workspace: its key, its people and its log; and the context of a call to it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.customerio.activity import SUPPRESSED, ActivityLog
from sandbox.customerio.calls import Call, Item
from sandbox.customerio.events import US_PER_S, Event
from sandbox.customerio.people import Identifier, People, Person
from sandbox.customerio.rate import Bucket
from sandbox.customerio.switches import Switches


class Workspace:
    """A site id and an API key, with their own people."""

    def __init__(self, number: int, site_id: str, api_key: str, region: str) -> None:
        """Start without people."""
        self.number = number
        self.site_id = site_id
        self.api_key = api_key
        self.region = region
        self.forget()

    def forget(self) -> None:
        """Go back to the beginning; the key pair stays valid."""
        self.people = People(self.number)
        self.log = ActivityLog()
        self.bucket = Bucket()
        self.event_ids: set[str] = set()
        self.event_count = 0
        self.anonymous: dict[str, list[Event]] = defaultdict(list)
        self.invites: list[Event] = []
        self.suppressed: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        self.deferred: Callable[[], object] | None = None

    def apply_deferred(self) -> None:
        """Do what the `out-of-order` fault has put off."""
        deferred, self.deferred = self.deferred, None
        if deferred is not None:
            deferred()


@dataclass(slots=True)
class CallContext:
    """The context of a call to a workspace: its time, the switches, and the items that a fault rejects."""

    workspace: Workspace
    switches: Switches
    call: Call
    now: int
    spoiled: frozenset[int] = field(default_factory=frozenset)

    @property
    def seconds(self) -> int:
        """Return the time of the call in Unix seconds."""
        return self.now // US_PER_S

    def note(self, kind: str, who: object, detail: str = "") -> None:
        """Write to the workspace's activity log."""
        self.workspace.log.add(self.now, self.call.number, kind, str(who), detail)

    def record(self, who: object, action: str, name: str | None, person: Person | None, *, accepted: bool) -> None:
        """Add an item to the record of the call."""
        self.call.items.append(Item(str(who), action, name, person.cio_id if person else None, accepted))

    def is_blocked(self, *whom: Identifier) -> bool:
        """Return whether any of the identifiers is suppressed, and log it if so."""
        blocked = [who for who in whom if who.key in self.workspace.suppressed]
        for who in blocked:
            self.note(SUPPRESSED, who)
        return bool(blocked)
