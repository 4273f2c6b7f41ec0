"""What a failure means for a backfill: how long it rests, or that it has failed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.core.backoff import full_jitter
from pipeline.core.errors import BadCredentials, BrokenPage, CratewireError, ServerFault, Unreachable

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
MAX_ATTEMPTS = 5  # of a question the store refuses as such
MAX_BROKEN_PAGE_ATTEMPTS = 10  # of one it answers with a page that is none


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """µs until the same page is asked for again; None: never."""

    rest: int | None
    are_keys_refused: bool = False


def decide_retry(error: CratewireError, attempts: int, rng: Random) -> RetryDecision:
    """What to do about the `attempts`-th failure in a row.

    A store that is away comes back some day, and keys may be refused by mistake; a question the store does not
    understand gets no better by asking for ever, and neither does a page that is none.
    """
    if isinstance(error, BadCredentials):
        return RetryDecision(HOUR_US, are_keys_refused=True)
    told = error.retry_after if isinstance(error, ServerFault) else None
    rest = round(max(full_jitter(attempts, rng), told or 0) * SECOND_US)
    if isinstance(error, BrokenPage):
        return RetryDecision(rest if attempts < MAX_BROKEN_PAGE_ATTEMPTS else None)
    if isinstance(error, Unreachable) or attempts < MAX_ATTEMPTS:
        return RetryDecision(rest)
    return RetryDecision(None)
