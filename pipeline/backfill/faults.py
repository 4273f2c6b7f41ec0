"""What a failure means for a backfill: how long it rests, or that it has failed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.errors import BadCredentials, BrokenPage, CratewireError, ServerFault, Unreachable
from pipeline.lanes.backoff import full_jitter

SECOND = 1_000_000
HOUR = 3_600 * SECOND
MOST_ATTEMPTS = 5  # of a question the store refuses as such
MOST_BROKEN = 10  # of one it answers with a page that is none


@dataclass(frozen=True, slots=True)
class Verdict:
    """µs until the same page is asked for again; None: never."""

    rest: int | None
    refused_keys: bool = False


def judge(error: CratewireError, attempts: int, rng: Random) -> Verdict:
    """What to do about the `attempts`-th failure in a row.

    A store that is away comes back some day, and keys may be refused by mistake; a question the store does not
    understand gets no better by asking for ever, and neither does a page that is none.
    """
    if isinstance(error, BadCredentials):
        return Verdict(HOUR, refused_keys=True)
    told = error.retry_after if isinstance(error, ServerFault) else None
    rest = round(max(full_jitter(attempts, rng), told or 0) * SECOND)
    if isinstance(error, BrokenPage):
        return Verdict(rest if attempts < MOST_BROKEN else None)
    if isinstance(error, Unreachable) or attempts < MOST_ATTEMPTS:
        return Verdict(rest)
    return Verdict(None)
