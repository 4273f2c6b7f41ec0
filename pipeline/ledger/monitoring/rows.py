"""The rows of monitoring: alarms, and the hours in which hooks came. Apart from the SQL that reads and writes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

SILENCE, ENDPOINT = "silence", "way_in"
COMMON_KINDS = (ENDPOINT,)  # of alarms that concern every store: hooks cannot arrive
MERCHANT, OPERATOR = "merchant", "operator"
AlarmKey = tuple[str, int | None, str, str]
ANY_EVENT = ""  # instead of an event's name
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as the ledger has it, with its store's name and account."""

    id: int
    kind: str
    store_id: int | None
    store: str | None
    account_id: int | None
    event: str
    last_at: int | None
    expected_us: int | None
    reason: str | None
    tried: Sequence[str]
    since: int
    tried_at: int | None
    told_at: int | None
    ended_at: int | None
    closed_at: int | None
    subject: str = ""
    audience: str = MERCHANT
    said: Mapping[str, str] = field(default_factory=dict)  # headline, effect, to_do, over; empty: silence, way_in
    store_title: str | None = None
    noticed_at: int | None = None
    end_noticed_at: int | None = None
    set_aside_at: int | None = None
    set_aside_by: int | None = None
    set_aside_reason: str | None = None
    set_aside_until: int | None = None
    set_aside_email: str | None = field(default=None, repr=False)  # of the user who set it aside

    @property
    def is_set_aside(self) -> bool:
        """Whether a person has set it aside, and nothing has brought it back."""
        return self.set_aside_at is not None

    @property
    def shown_store(self) -> str | None:
        """What people see of the store: its title, or else its name."""
        return self.store_title or self.store

    @property
    def expected_by(self) -> int | None:
        """When the next hook should have been here."""
        return None if self.last_at is None or self.expected_us is None else self.last_at + self.expected_us

    @property
    def place(self) -> AlarmKey:
        """What it is about: two alarms about one place are the same thing again."""
        return self.kind, self.store_id, self.event, self.subject


def concerns(store_id: int | None, kind: str, store_ids: Collection[int]) -> bool:
    """Whether an alarm concerns a person with these stores: it is about one of them, or about every store.

    `store_id`: None if the alarm is about no single store.
    """
    return store_id in store_ids if store_id is not None else kind in COMMON_KINDS and bool(store_ids)


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """What is not as it should be."""

    kind: str
    store_id: int | None = None
    event: str = ANY_EVENT
    last_at: int | None = None
    expected_us: int | None = None
    reason: str | None = None
    tried: Sequence[str] = ()  # if nothing more is to be tried before the mail is sent
    subject: str = ""  # which of its kind, where there are several
    audience: str = MERCHANT
    said: Mapping[str, str] = field(default_factory=dict)
    skip_diagnostics: bool = False  # nothing is tried before its mail is sent


@dataclass(frozen=True, slots=True)
class ActiveHour:
    """An hour in which hooks came; the first and the last of them in µs."""

    hour: int
    first_at: int
    last_at: int
