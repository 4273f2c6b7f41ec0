"""Shows a backfill's progress in a terminal: as lines of text, or as a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from pipeline.backfill import progress as backfill
from receiver.cli.output import format_short_time

PHASE_NAMES = {
    "counting": "counting",
    "subscriptions": "subscriptions",
    "orders": "orders",
    "customers": "customers",
    "others": "gift recipients",
}
OVERDUE_AFTER_S = 60  # how long a step may be due before it is reported
_TROUBLE_TEXTS = {
    "failed": "reading them failed ({error}); `{command} start --store {store}` starts again",
    "paused": "reading them is paused; `{command} resume --store {store}` resumes it",
    "running": "they cannot be read now ({error}); it is retried",
    "short": "Cratejoy did not show all of them ({error}); `{command} start --store {store}` reads them again",
    "done": "not all of them could be read ({error})",
}

_STATE_TEXTS = {
    "running": "Its customers are being read: `{command} watch --store {store}`.",
    "done": "Its customers have been read: `{command} start --store {store}` reads them again.",
    "cancelled": "Reading its customers was cancelled: `{command} start --store {store}` reads them.",
}


def format_progress(found: backfill.Progress) -> Iterator[str]:
    """Yield the lines of `backfill status`."""
    doing = f", at the {PHASE_NAMES[found.phase]}" if found.state in ("running", "paused") else ""
    yield f"backfill {found.backfill} ({found.kind}): {found.state}{doing}"
    yield f"customers: {found.customers}{_format_total(found.customers_total)}"
    yield f"pages: {found.pages}{_format_total(found.pages_total)}, {found.pages_per_second:.2f} a second"
    yield f"time: {format_duration(found.seconds)}" + (
        f", left: {format_duration(found.seconds_left)}" if doing else ""
    )
    yield (
        f"waited: {format_duration(found.throttled_seconds)} because Cratejoy asked for it, "
        f"{format_duration(found.waited_seconds)} for our own rate limit"
    )
    if found.state == "running" and found.next_step_at is not None:
        yield f"next step: {format_short_time(found.next_step_at)}"
    if found.error:
        yield f"trouble: {found.error}"


def describe_trouble(store: str, found: backfill.Progress, overdue: float) -> str | None:
    """Return why a store's customers are not read, or not all; None if all is well. `overdue` is in seconds."""
    if found.state == "running" and overdue > OVERDUE_AFTER_S:
        return f"no worker has read them for {format_duration(overdue)}; does the backfill worker run?"
    says = _TROUBLE_TEXTS.get(found.state) if found.error or found.state == "paused" else None
    return says and says.format(error=found.error, command="cratewire backfill", store=store)


def describe_state(store: str, found: backfill.Progress) -> str:
    """Describe the backfill of a store's customers in a sentence, with what to do."""
    if trouble := describe_trouble(store, found, 0):
        return f"Its customers: {trouble}."
    return _STATE_TEXTS[found.state].format(command="cratewire backfill", store=store)


@contextmanager
def show_progress_bar(console: Console, *, disabled: bool) -> Iterator[Callable[[backfill.Progress], None]]:
    """Show a progress bar. Yields a function that updates it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rest]}"))
    with Progress(*columns, console=console, disable=disabled) as bar:
        task = bar.add_task("waiting", total=None, rest="")
        yield lambda found: bar.update(
            task,
            description=found.state if found.state != "running" else PHASE_NAMES[found.phase],
            completed=found.customers,
            total=found.customers_total,
            rest=_format_details(found),
        )


def format_duration(seconds: float | None) -> str:
    """Format a duration: `42 s`, `3:07`, `1:02:03`."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _format_details(found: backfill.Progress) -> str:
    parts = (
        f"page {found.pages}{_format_total(found.pages_total)}",
        f"{found.pages_per_second:.1f}/s",
        f"{format_duration(found.seconds_left)} left" if found.ended_at is None else "",
        f"throttled: {format_duration(found.throttled_seconds)}",
        "trouble: see status" if found.error else "",
    )
    return ", ".join(filter(None, parts))


def _format_total(total: int | None) -> str:
    return f" of {'?' if total is None else total}"
