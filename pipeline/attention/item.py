"""One thing that needs a person, what a cause of such things is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.context import Context
from pipeline.ledger.monitoring.alarms import AlarmRow


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """What is wrong, since when (µs), what follows from it, what was tried, and the one thing to do.

    `subject` tells it from others of the same cause. `audience`: `merchant`, who are the owners of the store's account,
    or `operator`, who runs the installation. `headline` has no full stop; the others are sentences. Nothing here holds
    data of people, or keys. `is_final`: whether what was tried has come to its end, so that a mail can be written.
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
    facts: Mapping[str, str] = field(default_factory=dict)  # kept with the alarm, for what is said at its end
    alarm_id: int | None = None  # once it has been noted
    told_at: int | None = None  # when it was last told of, in µs


def no_summary(_: Context, __: AlarmRow) -> str | None:
    """What there is to say at the end of what needs no account of what it has cost."""
    return ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A row of the table.

    `look` yields everything of this cause that is wrong now. It may raise RedisError, SQLAlchemyError or OSError: then
    nothing is known, and what was open stays open. `over` says in a sentence what an item has cost once it has ended;
    None: that is not known yet. `is_noted`: whether its alarms are opened and ended here; otherwise its own sweep does.
    """

    name: str
    find_items: Callable[[Context], Iterable[AttentionItem]]
    summarize: Callable[[Context, AlarmRow], str | None] = no_summary
    manages_alarms: bool = True
