"""Decides: where an order stands, and what was seen, make where it stands then and what is to be done."""

from __future__ import annotations

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.cancels import CANCEL_ROWS, PERSON_ROWS
from pipeline.fulfilment.rules.decision.deliveries import DELIVERY_ROWS
from pipeline.fulfilment.rules.decision.shipments import SHIPMENT_ROWS
from pipeline.fulfilment.rules.decision.tracking import CONFIRM_ROWS, TRACKING_ROWS
from pipeline.fulfilment.rules.decision.words import IN_DOUBT, KEEP, SIGHT, Decision, Policy, Row, Rule, Seen, Standing

ROWS: tuple[Row, ...] = (
    *SHIPMENT_ROWS,
    *DELIVERY_ROWS,
    *TRACKING_ROWS,
    *CONFIRM_ROWS,
    *CANCEL_ROWS,
    *PERSON_ROWS,
)


def _index(rows: tuple[Row, ...]) -> dict[tuple[State, Seen], tuple[Row, ...]]:
    found: dict[tuple[State, Seen], list[Row]] = {}
    for row in rows:
        for state in row.states:
            for seen in row.seen:
                found.setdefault((state, seen), []).append(row)
    return {pair: tuple(of_pair) for pair, of_pair in found.items()}


TABLE = _index(ROWS)
# The warehouse has shown that it has the order, so that a later absence begins anew.
_PROOFS = frozenset(
    [
        Seen.CREATED,
        Seen.EXISTS,
        Seen.FOUND,
        Seen.FOUND_OTHER,
        Seen.COMPLETE,
        Seen.PARTIAL,
        Seen.WITHOUT_TRACKING,
        Seen.TRACKING_OVERDUE,
        Seen.CANCEL_PENDING,
        Seen.CANCEL_REFUSED,
    ]
)


def decide(standing: Standing, seen: Seen, policy: Policy, now: int, reason: str = "") -> Decision:
    """Return the next standing and what is to be done. `now`: µs.

    `reason`: of what was seen, such as the verdict's; where a row has a reason of its own, that one is taken. The
    ledger writes the decision with a compare-and-set on the order's version, and does `action` only if it won.
    """
    rule = _find_rule(standing, seen, policy, now)
    state = rule.state or standing.state
    is_same_state = state is standing.state
    return Decision(
        state=state,
        reason={KEEP: standing.reason, SIGHT: reason}.get(rule.reason, rule.reason),
        may_exist=standing.may_exist if rule.may_exist is None else rule.may_exist,
        is_cancel_wanted=_is_cancel_wanted(standing, rule, state),
        missed_at=_find_missed_at(standing, seen, rule, now, is_same_state=is_same_state),
        action=rule.action,
        notice=rule.notice,
        is_failure=rule.is_failure,
        wait_s=rule.wait_s,
    )


def _find_rule(standing: Standing, seen: Seen, policy: Policy, now: int) -> Rule:
    rows = TABLE[standing.state, seen]
    return next(row.rule for row in rows if row.when is None or row.when(standing, policy, now))


def _is_cancel_wanted(standing: Standing, rule: Rule, state: State) -> bool:
    """Return whether a cancel waits for a sure outcome: in the other states it is acted on at once."""
    if state not in IN_DOUBT:
        return False
    return standing.is_cancel_wanted if rule.is_cancel_wanted is None else rule.is_cancel_wanted


def _find_missed_at(standing: Standing, seen: Seen, rule: Rule, now: int, *, is_same_state: bool) -> int | None:
    if rule.is_missed:
        is_first = standing.missed_at is None or standing.missed_at > now  # the latter: the clock was set back
        return now if is_first or not is_same_state else standing.missed_at
    return standing.missed_at if is_same_state and seen not in _PROOFS else None
