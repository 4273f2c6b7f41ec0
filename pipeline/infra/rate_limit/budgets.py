"""Acquires calls from the budgets of several accounts in two round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

from pipeline.infra.lua import read_lua
from pipeline.infra.rate_limit.budget import Budget

_STATES_SCRIPT = read_lua(__package__, "budgets_read_states")
_STATE_SIZE = 4


def acquire_each(redis: Redis, asked: Sequence[tuple[Budget, int]]) -> list[float]:
    """What `Budget.acquire` returns for each of these budgets and costs, in their order.

    An account that is stopped, throttled to a low rate or without room is asked by itself.
    """
    if len(asked) < 2:  # noqa: PLR2004 nothing to share
        return [budget.acquire(cost) for budget, cost in asked]
    states = _read_states(redis, [budget for budget, _ in asked])
    pipe = redis.pipeline(transaction=False)
    added = []
    for place, ((budget, cost), (pause, factor, debt, urgent)) in enumerate(zip(asked, states, strict=True)):
        budget.note_factor(factor)
        if max(pause, debt, urgent) <= 0 and budget.add_acquisition(pipe, cost, factor):
            added.append(place)
    taken = {place for place, is_taken in zip(added, pipe.execute(), strict=True) if is_taken}
    return [0.0 if place in taken else budget.acquire(cost) for place, (budget, cost) in enumerate(asked)]


def _read_states(redis: Redis, budgets: Sequence[Budget]) -> list[tuple[int, float, int, int]]:
    keys = [key for budget in budgets for key in budget.list_state_keys()]
    found: Any = redis.eval(_STATES_SCRIPT, len(keys), *keys)
    parts = (found[start : start + _STATE_SIZE] for start in range(0, len(found), _STATE_SIZE))
    return [(int(pause), float(factor), int(debt), int(urgent)) for pause, factor, debt, urgent in parts]
