"""Whether a person's events arrived in the order in which they happened, where the store told them in that order."""

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import pairwise

from sandbox.compare.profiles import Profile, Profiles
from sandbox.compare.truth import EventRecord


def count_out_of_order(told: list[EventRecord], profiles: Profiles) -> int:
    """Count the events that arrived after a later one of the same person."""
    per_profile: dict[str, list[EventRecord]] = defaultdict(list)
    for happening in told:
        for party, _ in happening.parties:
            profile = profiles.of(party)
            if profile is not None:
                per_profile[profile.cio_id].append(happening)
    return sum(
        _count_late(_arrival(profile, per_profile[profile.cio_id]))
        for profile in profiles
        if _were_sent_in_order(per_profile[profile.cio_id])
    )


def _were_sent_in_order(happenings: list[EventRecord]) -> bool:
    """Tell whether every hook was sent after the one before and accepted at the first attempt."""
    if any(not happening.is_promised or happening.accepted < happening.posts for happening in happenings):
        return False
    times = [happening.sent_at for happening in happenings]
    return all(time is not None for time in times) and all(before < after for before, after in pairwise(times))


def _arrival(profile: Profile, happenings: list[EventRecord]) -> Iterable[int]:
    waiting: dict[tuple[str, str], deque[int]] = defaultdict(deque)
    for happening in happenings:
        waiting[happening.event, happening.subject_id].append(happening.n)
    for event in profile.events:
        numbers = waiting[event["name"], str(event["data"].get("subject_id"))]
        if numbers:
            yield numbers.popleft()


def _count_late(numbers: Iterable[int]) -> int:
    late, latest = 0, -1
    for number in numbers:
        late += number < latest
        latest = max(latest, number)
    return late
