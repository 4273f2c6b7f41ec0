"""Runs a rehearsal: the same hooks through two runs side by side, a batch at a time. Writes nothing to the ledger."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.context import Context
from pipeline.core.errors import Misconfigured, NoDataDirectory
from pipeline.destinations import DESTINATIONS, PREVIEWS_BY_CONFIG
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.connections import ConnectionRow, list_store_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import StoreRow
from pipeline.rehearsal.change import RehearsedChange, StartingRows, apply_change
from pipeline.rehearsal.compare import MessagePair, pair_messages
from pipeline.rehearsal.differences import DifferenceGroup, Differences
from pipeline.rehearsal.recorded_hooks import RecordedHook, RecordedPeriod, count_hooks, find_period, read_hooks
from pipeline.rehearsal.side_process import THIS_VERSION, Installed, SideProcess, start_side
from pipeline.rehearsal.starting_rows import load_store_rows, read_people

BATCH_HOOKS = 200
DAY_US = 86_400_000_000
FOLDER = "rehearsals"  # in the data directory; one folder in it for each that runs
_LEFT_OVER_S = 86_400  # after which a folder belongs to a process that was killed

Progress = Callable[[int, int], object]  # hooks done, hooks in all


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What to rehearse: hooks of a store since then (µs), with a change, in this version or in another."""

    store: StoreRow
    since: int
    change: RehearsedChange
    version: Installed = THIS_VERSION


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """What a rehearsal has found. `unsendable`: of the second run, by (connection, event, kind): no request for it.

    `from_data`: hooks whose bytes are gone, run from what was recorded of them. `emptied`: those that an erasure left
    nothing of.
    """

    hooks: int
    from_data: int
    emptied: int
    messages_before: int
    messages_after: int
    before: str  # the releases of the two runs
    after: str
    version_after: str
    groups: Sequence[DifferenceGroup]
    unsendable: Mapping[tuple[int, str, str], int]

    @property
    def differences(self) -> int:
        """How many messages and outcomes differ."""
        return sum(group.count for group in self.groups)


@dataclass(slots=True)
class _Tally:
    hooks: int = 0
    from_data: int = 0
    emptied: int = 0
    messages_before: int = 0
    messages_after: int = 0
    unsendable: Counter[tuple[int, str, str]] = field(default_factory=Counter)


@contextmanager
def rehearse(
    context: Context, rehearsal: Rehearsal, on_progress: Progress = lambda _done, _all: None
) -> Iterator[tuple[RehearsalReport, Differences]]:
    """Run both sides, and yield what they differ in; all differences can be read until the block ends.

    Raises Misconfigured if the change makes no sense, or if a run ends early.
    """
    _check_platform(rehearsal.change)
    with reading(context.engine) as conn:
        period = find_period(conn, rehearsal.store.id, rehearsal.store.name, rehearsal.since)
        total = count_hooks(conn, period)
        rows = load_store_rows(conn, rehearsal.store.id)
        connections = list_store_connections(conn, rehearsal.store.id)
    configs = _load_configs(context, connections)
    with ExitStack() as stack:
        folder = stack.enter_context(_make_folder(context.settings.data_dir, context.now()))
        differences = Differences(folder)
        stack.callback(differences.close)
        sides = _Sides(
            stack.enter_context(start_side(THIS_VERSION, folder)),
            stack.enter_context(start_side(rehearsal.version, folder)),
        )
        sides.ask_both({"do": "rows", "rows": rows}, {"do": "rows", "rows": apply_change(rehearsal.change, rows)})
        _give_configs(sides, rehearsal.change, rows, configs)
        for part in read_people(context.engine, rehearsal.store.id, rehearsal.since):
            sides.ask_both(line := {"do": "rows", "rows": part}, line)
        added = _find_added(rehearsal.change, rows)
        tally = _run_hooks(context, rehearsal, period, sides, differences, added, lambda n: on_progress(n, total))
        differences.pair_late_messages()
        yield _build_report(tally, sides, differences), differences


class _Sides:
    """The two runs, asked at the same time."""

    def __init__(self, before: SideProcess, after: SideProcess) -> None:
        self.before, self.after = before, after

    def ask_both(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        self.before.ask(before)
        self.after.ask(after)
        return self.before.read(), self.after.read()


def _run_hooks(  # noqa: PLR0913, PLR0917 the parts of one rehearsal
    context: Context,
    rehearsal: Rehearsal,
    period: RecordedPeriod,
    sides: _Sides,
    differences: Differences,
    added: int | None,
    on_progress: Callable[[int], object],
) -> _Tally:
    tally = _Tally()
    recorded = read_hooks(context.engine, period)
    while batch := list(islice(recorded, BATCH_HOOKS)):
        hooks = [hook for hook in batch if not hook.is_emptied]
        tally.emptied += len(batch) - len(hooks)
        tally.from_data += sum(hook.data is not None for hook in hooks)
        tally.hooks += len(hooks)
        if hooks:
            lines = [_build_line(hook, rehearsal.store) for hook in hooks]
            request = {"do": "hooks", "at": hooks[-1].recorded_at, "hooks": lines}
            _compare_batch(sides, hooks, sides.ask_both(request, request), differences, tally, added)
        on_progress(tally.hooks + tally.emptied)
    return tally


def _compare_batch(
    sides: _Sides,
    hooks: Sequence[RecordedHook],
    answers: tuple[Mapping[str, Any], Mapping[str, Any]],
    differences: Differences,
    tally: _Tally,
    added: int | None,
) -> None:
    before, after = answers
    old, new = dict(before["hooks"]), dict(after["hooks"])
    for hook in hooks:
        if old.get(hook.receipt) != new.get(hook.receipt):
            differences.add_outcome(hook.receipt, hook.event, old.get(hook.receipt), new.get(hook.receipt))
    tally.messages_before += len(before["messages"])
    tally.messages_after += len(after["messages"])
    for line in after["messages"]:
        if not line["is_sendable"]:
            tally.unsendable[line["connection"], line["event"], line["kind"]] += 1
    pairs = list(pair_messages(before["messages"], after["messages"]))
    # Every message of a connection more is new: what is in it would only fill the disk.
    whole = [pair for pair in pairs if pair.key.connection != added]
    contents = _read_contents(sides, whole)
    for pair, (one, other) in zip(whole, contents, strict=True):
        differences.add_message(pair.key, pair.event, one, other)
    for pair in pairs:
        if pair.key.connection == added:
            differences.add_message(pair.key, pair.event, None, {})


def _read_contents(sides: _Sides, pairs: Sequence[MessagePair]) -> list[tuple[Any, Any]]:
    """What the messages of each pair contain in either run."""
    if not pairs:
        return []
    old = [pair.before["id"] for pair in pairs if pair.before]
    new = [pair.after["id"] for pair in pairs if pair.after]
    answers = sides.ask_both({"do": "details", "ids": old}, {"do": "details", "ids": new})
    before, after = (iter(answer["messages"]) for answer in answers)
    return [(next(before) if pair.before else None, next(after) if pair.after else None) for pair in pairs]


def _build_line(hook: RecordedHook, store: StoreRow) -> dict[str, Any]:
    return {
        "receipt": hook.receipt,
        "store": store.name,
        "version": store.token_version,
        "event": hook.event,
        "received_at": hook.received_at,
        "source": hook.source,
        "raw": base64.b64encode(hook.raw or b"").decode(),
        "query": hook.query,
        "data": hook.data,
        "form": hook.form,
        "fingerprint": hook.happening.rpartition("#")[2].partition("@")[0],
    }


def _check_platform(change: RehearsedChange) -> None:
    if change.platform is not None and change.platform not in DESTINATIONS:
        raise Misconfigured(f"there is no platform {change.platform}: choose one of {', '.join(DESTINATIONS)}")


def _load_configs(context: Context, connections: Sequence[ConnectionRow]) -> dict[str, Mapping[str, str]]:
    """The configs that a request depends on, by connection: decrypted, for the pipes to the runs only."""
    keys = context.settings.secret_keys
    return {
        str(row.id): decrypt(keys, row.config, row.identity)
        for row in connections
        if row.platform in PREVIEWS_BY_CONFIG
    }


def _give_configs(
    sides: _Sides, change: RehearsedChange, rows: StartingRows, configs: Mapping[str, Mapping[str, str]]
) -> None:
    added = _find_added(change, rows)
    own = {str(added): change.platform_config} if added is not None else {}
    sides.ask_both({"do": "configs", "configs": configs}, {"do": "configs", "configs": {**configs, **own}})


def _find_added(change: RehearsedChange, rows: StartingRows) -> int | None:
    before = {row["id"] for row in rows["connections"]}
    after = {row["id"] for row in apply_change(change, rows)["connections"]}
    return next(iter(after - before), None)


def _build_report(tally: _Tally, sides: _Sides, differences: Differences) -> RehearsalReport:
    return RehearsalReport(
        tally.hooks,
        tally.from_data,
        tally.emptied,
        tally.messages_before,
        tally.messages_after,
        sides.before.release,
        sides.after.release,
        sides.after.version,
        differences.group(),
        dict(tally.unsendable),
    )


@contextmanager
def _make_folder(data_dir: Path, now: int) -> Iterator[Path]:
    """A folder for both runs. What a killed rehearsal has left is removed: it holds copies of hooks."""
    parent = data_dir / FOLDER
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NoDataDirectory(f"{parent} cannot be created ({type(error).__name__})") from error
    remove_left_over(data_dir, now)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def remove_left_over(data_dir: Path, now: int) -> int:
    """Remove the folders of rehearsals that were killed a day ago or earlier (`now` in µs); returns how many."""
    parent = data_dir / FOLDER
    old = [folder for folder in parent.glob("*") if folder.stat().st_mtime < now / 1_000_000 - _LEFT_OVER_S]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)
