"""How long hooks waited for a response during a period; a hook that still waits at its end waited until then."""

from __future__ import annotations

from collections.abc import Iterable

from bench.chaos.load import SentHook


def get_waits_ms(sent_hooks: Iterable[SentHook], since: int, until: int) -> list[float]:
    """The wait of each hook under way between these moments, whatever came of it, without what it had waited before.

    One that was cut off got no answer either: it counts like one that still waits.
    """
    under_way = [
        (max(hook.sent_at, since), _get_end(hook, until))
        for hook in sent_hooks
        if 0 < hook.sent_at < until and not 0 < hook.answered_at <= since
    ]
    return [(end - begin) / 1000 for begin, end in under_way]


def judge_waits(waits: list[float], most_ms: float, share: float = 0.0) -> str | None:
    """Describe why these waits are too long, or return None. A `share` of them may be longer."""
    if not waits:
        return "no hook was under way meanwhile: nothing was proved"
    late = sum(wait > most_ms for wait in waits)
    if late > share * len(waits):
        return f"{late} of {len(waits)} hooks waited longer than {most_ms:.0f} ms, {max(waits):.0f} at worst"
    return None


def _get_end(hook: SentHook, until: int) -> int:
    return hook.answered_at if 0 < hook.answered_at < until else until
