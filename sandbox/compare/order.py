"""Whether the events of a person arrived in the order in which they occurred and their hooks were sent."""

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import pairwise

from sandbox.compare.profiles import Profile, Profiles
from sandbox.compare.truth import EventRecord
from sandbox.compare.withholding import Withholding

ASKED_GIFT = "gift3_asked"


def count_out_of_order(records: list[EventRecord], profiles: Profiles, withholding: Withholding) -> int:
    """Count the events that arrived after a later event of the same person.

    A recipient whom only the API names is left out: that event's copy waits for the answer, and no other.
    """
    per_profile: dict[str, list[EventRecord]] = defaultdict(list)
    for record in records:
        for party in withholding.due_parties(record):
            profile = profiles.of(party.who)
            if profile is not None and not (party.is_recipient and record.gift.startswith(ASKED_GIFT)):
                per_profile[profile.cio_id].append(record)
    return sum(
        _count_late(_arrival(profile, per_profile[profile.cio_id]))
        for profile in profiles
        if _were_sent_in_order(per_profile[profile.cio_id])
    )


def _were_sent_in_order(records: list[EventRecord]) -> bool:
    """Return whether every hook was sent after the previous hook and accepted at the first attempt."""
    if any(not record.is_promised or record.accepted < record.posts for record in records):
        return False
    times = [record.sent_at for record in records]
    return all(time is not None for time in times) and all(before < after for before, after in pairwise(times))


def _arrival(profile: Profile, records: list[EventRecord]) -> Iterable[int]:
    waiting: dict[tuple[str, str], deque[int]] = defaultdict(deque)
    for record in records:
        waiting[record.event, record.subject_id].append(record.n)
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
