"""Compare the acknowledged hooks with the events of the platform: the figures that judge a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.chaos.boxes.counting import BoxCounts
from bench.chaos.load import SentHook
from bench.chaos.platform import ArrivedEvent, group_by_person

US_PER_S = 1_000_000
MISSING_SUBJECT = "None"  # the subject of a damaged body without an id: two of them are two events


@dataclass(slots=True)
class Row:
    """The figures of a fault. `broken`: promises beside the counts; `notes`: remarks; `skipped`: why it did not run."""

    fault: str
    database: str
    accepted: int = 0
    once: int = 0  # accepted hooks whose event every person received exactly once
    lost: int = 0  # messages of accepted hooks that did not arrive
    twice: int = 0
    out_of_order: int = 0
    unanswered: int = 0  # not promised; they may arrive or not
    refused: int = 0  # asked to retry
    worst_ms: float = 0.0
    recover_s: float | None = None  # from the fault's end until a hook sent after it arrived
    resumed_s: float | None = None  # until anything arrived
    seconds: float = 0.0  # all of it, from the first hook until everything has settled
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str | None = None
    is_promised: bool = True  # False: the fault shows what is lost where nothing was promised
    boxes: BoxCounts | None = None  # of the faults while boxes go out

    @property
    def fails(self) -> bool:
        """Whether a promise was broken."""
        if not self.is_promised:
            return False
        is_box_wrong = self.boxes is not None and self.boxes.fails
        return bool(self.lost or self.twice or self.out_of_order or self.broken or is_box_wrong)

    @property
    def holds(self) -> bool:
        """Whether every promise was tested and kept."""
        return not self.fails and self.skipped is None and self.is_promised

    def add(self, other: Row) -> None:
        """Another connection's count of the same hooks."""
        self.lost += other.lost
        self.twice += other.twice
        self.out_of_order += other.out_of_order

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"holds": self.holds}


def count_results(
    row: Row,
    sent_hooks: Sequence[SentHook],
    arrived: Sequence[ArrivedEvent],
    ended_at: int,
    *,
    aside: Collection[tuple[str, str]] = (),
    since: int = 0,
) -> Row:
    """Fill in the numbers. `aside`: what the platform refused for good and we keep, with its reason."""
    copies = Counter((event.address, event.subject) for event in arrived)
    accepted = [hook for hook in sent_hooks if hook.accepted and hook.sent_at > since]
    wanted = {(address, hook.hook.subject) for hook in accepted for address in hook.hook.addresses}
    row.accepted = len(accepted)
    row.unanswered = sum(hook.status is None for hook in sent_hooks)
    row.refused = len(sent_hooks) - row.accepted - row.unanswered
    row.once = sum(all(copies[address, hook.hook.subject] == 1 for address in hook.hook.addresses) for hook in accepted)
    missing = {key for key in wanted if not copies[key]}
    row.lost = len(missing.difference(aside))
    if missing.intersection(aside):
        row.notes.append(f"{len(missing.intersection(aside))} messages were refused for good and set aside")
    row.twice = sum(number - 1 for (_, subject), number in copies.items() if subject != MISSING_SUBJECT)
    row.out_of_order = count_inversions(sent_hooks, arrived)
    row.worst_ms = max(((hook.answered_at - hook.sent_at) / 1000 for hook in accepted), default=0.0)
    _fill_times(row, accepted, arrived, ended_at)
    return row


def check_unaccepted(row: Row, *, refuses: bool, cuts: bool) -> list[str]:
    """Describe hooks that were refused although there was room and no process was killed."""
    found = []
    if row.refused and not refuses:
        found.append(f"{row.refused} hooks were refused")
    if row.unanswered and not cuts:
        found.append(f"{row.unanswered} hooks got no answer")
    return found


def count_inversions(sent_hooks: Iterable[SentHook], arrived: Sequence[ArrivedEvent]) -> int:
    """The number of events that arrived after a later event of the same person."""
    sent: dict[str, int] = {}
    for place, one in enumerate(sorted(sent_hooks, key=lambda hook: hook.sent_at)):
        sent.setdefault(one.hook.subject, place)
    people = group_by_person(list(arrived)).values()
    return sum(_count_late(sent[event.subject] for event in events if event.subject in sent) for events in people)


def _count_late(places: Iterable[int]) -> int:
    newest, late = -1, 0
    for place in places:
        late += place < newest
        newest = max(newest, place)
    return late


def _fill_times(row: Row, accepted: Sequence[SentHook], arrived: Sequence[ArrivedEvent], ended_at: int) -> None:
    fresh = {hook.hook.subject for hook in accepted if hook.sent_at > ended_at}
    row.recover_s = _first((event.at for event in arrived if event.subject in fresh), ended_at)
    row.resumed_s = _first((event.at for event in arrived if event.at > ended_at), ended_at)


def _first(times: Iterable[int], ended_at: int) -> float | None:
    earliest = min(times, default=None)
    return None if earliest is None else (earliest - ended_at) / US_PER_S


def get_delays_s(sent_hooks: Iterable[SentHook], arrived: Iterable[ArrivedEvent]) -> list[float]:
    """Seconds from sending a hook to its first arrival."""
    first: Mapping[str, int] = _first_arrivals(arrived)
    return sorted(
        (first[hook.hook.subject] - hook.sent_at) / US_PER_S for hook in sent_hooks if hook.hook.subject in first
    )


def _first_arrivals(arrived: Iterable[ArrivedEvent]) -> dict[str, int]:
    first: dict[str, int] = {}
    for event in arrived:
        first[event.subject] = min(first.get(event.subject, event.at), event.at)
    return first
