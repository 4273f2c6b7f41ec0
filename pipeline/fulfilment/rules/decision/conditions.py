"""What a row of a table may depend on besides the state and what was seen."""

from __future__ import annotations

from pipeline.fulfilment.rules.decision.words import LASTING_HOLDS, Condition, Policy, Standing

MISS_AGAIN_AFTER_S = 5 * 60  # a warehouse may be slow to list what it took: absent twice, this far apart
LOOK_UP_AFTER_S = 60
_SECOND_US = 1_000_000


def may_exist(standing: Standing, _policy: Policy, _now: int) -> bool:
    return standing.may_exist


def is_cancel_wanted(standing: Standing, _policy: Policy, _now: int) -> bool:
    return standing.is_cancel_wanted


def is_never_sent_cancel(standing: Standing, _policy: Policy, _now: int) -> bool:
    return standing.is_cancel_wanted and not standing.may_exist


def is_elsewhere(standing: Standing, _policy: Policy, _now: int) -> bool:
    return standing.is_elsewhere


def can_cancel(standing: Standing, policy: Policy, _now: int) -> bool:
    return policy.can_cancel and not standing.is_elsewhere


def is_lasting_hold(standing: Standing, _policy: Policy, _now: int) -> bool:
    return standing.reason in LASTING_HOLDS


def is_missed_again(standing: Standing, _policy: Policy, now: int) -> bool:
    """Return whether the warehouse had not found it already, at least five minutes ago."""
    return standing.missed_at is not None and now - standing.missed_at >= MISS_AGAIN_AFTER_S * _SECOND_US


def needs_look_up(standing: Standing, policy: Policy, _now: int) -> bool:
    """Return whether nothing may be created before the warehouse was asked for it.

    Before the first create it need not be, where the warehouse itself refuses a number that it has: that answer is then
    looked up, and compared.
    """
    if standing.may_exist:
        return policy.can_look_up and (policy.looks_up_first or not policy.repeats_safely)
    return policy.can_look_up and policy.looks_up_first and not policy.refuses_duplicates


def is_first(standing: Standing, _policy: Policy, _now: int) -> bool:
    """Return whether no create of ours, as far as the ledger knows, can have made what the warehouse has."""
    return not standing.may_exist


def is_first_and_blind(standing: Standing, policy: Policy, _now: int) -> bool:
    """Return the same where it cannot be looked at, either."""
    return not standing.may_exist and not policy.can_look_up


def cannot_know(standing: Standing, policy: Policy, _now: int) -> bool:
    """Return whether the box may be there, cannot be looked up, and another create could make a second one."""
    if standing.is_elsewhere:
        return True
    return standing.may_exist and not policy.can_look_up and not policy.repeats_safely


def repeats_safely(_standing: Standing, policy: Policy, _now: int) -> bool:
    return policy.repeats_safely


def confirms_first_package(_standing: Standing, policy: Policy, _now: int) -> bool:
    return policy.confirms_first_package


def cancels_if_externally_shipped(standing: Standing, policy: Policy, now: int) -> bool:
    return policy.cancels_if_externally_shipped and can_cancel(standing, policy, now)


def updates_tracking(_standing: Standing, policy: Policy, _now: int) -> bool:
    return policy.updates_tracking


def has_reason(*reasons: str) -> Condition:
    """Return the condition that an order is in its state for one of these reasons."""
    return lambda standing, _policy, _now: standing.reason in reasons


def both(first: Condition, second: Condition) -> Condition:
    return lambda standing, policy, now: first(standing, policy, now) and second(standing, policy, now)
