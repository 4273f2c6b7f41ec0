"""Replacements of Celery's remote control commands that would do harm."""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command, nok

RATE_LIMIT_REFUSAL = (
    "Cratewire's workers keep no rate limits by task: a limited task would hold up what waits behind it in its queue. "
    "Calls to a platform are limited by account, calls to a store by CRATEWIRE_CRATEJOY_RATE. "
    "`cratewire connections pause` stops what leaves for one connection."
)


# Replaces Celery's own, which says "set successfully" although rate limits are disabled.
@control_command(  # type: ignore[untyped-decorator]  # Celery ships no types
    args=[("task_name", str), ("rate_limit", str)], signature="<task_name> <rate_limit>"
)
def rate_limit(_state: Any, **_: Any) -> dict[str, str]:
    """Refuse to limit the rate of a task, and say which limits there are instead."""
    refused: dict[str, str] = nok(RATE_LIMIT_REFUSAL)
    return refused
