"""An item that needs a person, and a cause of such items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.context import Context
from pipeline.ledger.monitoring.rows import AlarmRow


@dataclass(frozen=True, slots=True)
class SetAside:
    """Who set an item aside, why, and until when (µs). `by`: an e-mail address; None: a command."""

    at: int
    reason: str
    by: str | None = field(default=None, repr=False)
    until: int | None = None  # None: until it gets worse


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """What is wrong, since when (µs), its effect, what was tried, and what to do.

    `subject` distinguishes the items of one cause. `audience`: `merchant`, the owners of the store's account, or
    `operator`, who runs the installation. `headline` has no full stop, and begins with the name of the
    store that it is about; the other texts are sentences. No field but `set_aside` holds
    personal data or keys. `is_final`: whether everything that is tried has ended, so that a mail can be written.
    """

    cause: str
    subject: str
    audience: str
    headline: str
    effect: str
    to_do: str
    since: int
    store: str | None = None
    store_id: int | None = None
    tried: tuple[str, ...] = ()
    reason: str | None = None  # for programs
    is_final: bool = True
    facts: Mapping[str, str] = field(default_factory=dict)  # stored with the alarm, for the summary at its end
    alarm_id: int | None = None  # once an alarm has been opened
    told_at: int | None = None  # when a notification was last sent, in µs
    worse_at: int | None = None  # when it last got worse, in µs; None: it lasts, and gets no worse
    set_aside: SetAside | None = None


def no_summary(_: Context, __: AlarmRow) -> str | None:
    """The summary of a cause that has none."""
    return ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A row of the table of causes.

    find_items: yields everything of this cause that is wrong now. It may raise RedisError, SQLAlchemyError or OSError:
    then nothing is known, and open alarms stay open. summarize: says in a sentence what an item has cost, once it has
    ended; None: that is not known yet. manages_alarms: whether this package opens and ends the cause's alarms; if not,
    the cause's own sweep does.
    """

    name: str
    find_items: Callable[[Context], Iterable[AttentionItem]]
    summarize: Callable[[Context, AlarmRow], str | None] = no_summary
    manages_alarms: bool = True
