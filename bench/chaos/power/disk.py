"""The files of a run as a power cut may leave them.

What was synced is there. Of what was written since, any part may be: nothing, all, the first writes and a piece of the
next, or any sectors in any order. Bytes that make a file longer appear from its old end on, without a gap, as ext4
(data=ordered) and XFS do it; SQLite's files, whose pages carry checksums, may have gaps of zeros as well. New names,
renames and removals in a directory that was not synced since may have happened up to any point.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random

from bench.chaos.power.trace import FileCall

SECTOR_BYTES = (512, 4096)
_CONTENTS = ("write", "truncate", "extend")  # what changes a file
HOW_MUCH = ("nothing", "all", "torn", "any sectors")


@dataclass(slots=True)
class _Change:
    """A write or a truncation that may not be on disk."""

    ended: float
    offset: int
    data: bytes
    is_truncation: bool = False  # to `offset` bytes


@dataclass(slots=True)
class _File:
    """What is on disk for certain, what may be, and how long the file is for its writers."""

    synced: bytearray
    pending: list[_Change] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Naming:
    """A change of a directory: `path` names `file` from now on, or nothing; `source` names nothing any more."""

    ended: float
    path: str
    file: _File | None
    source: str = ""


class Disk:
    """All files below some folders. `roots`: those folders, also to find what a relative path means."""

    def __init__(
        self, snapshot: Mapping[str, bytes], roots: Iterable[Path], ignores_sync: Callable[[str], bool]
    ) -> None:
        """`snapshot`: the files at the beginning. `ignores_sync`: whose syncs do nothing, to see what they are for."""
        self._roots = [str(root) for root in roots]
        self._ignores_sync = ignores_sync
        self._synced = {path: _File(bytearray(data), size=len(data)) for path, data in snapshot.items()}
        self._live = dict(self._synced)
        self._namings: dict[str, list[_Naming]] = defaultdict(list)  # directory -> what may not be on disk
        self._positions: dict[tuple[int, int], int | None] = {}  # of a file and descriptor; None: at the end

    def play(self, call: FileCall) -> None:
        """Do what a call does. A sync is played when it has ended, everything else when it begins."""
        path = self._find(call.path)
        if path is None:
            return
        if call.kind in _CONTENTS:
            self._change(path, call)
        else:
            {"open": self._open, "rename": self._rename, "unlink": self._unlink, "sync": self._sync}[call.kind](
                path, call
            )

    @property
    def has_unsynced(self) -> bool:
        """Whether anything is not certain to be on the disk."""
        return any(file.pending for file in self._live.values()) or any(self._namings.values())

    def cut(self, rng: Random) -> dict[str, bytes]:
        """Return one of the states that a power cut may leave now: path -> content."""
        names = dict(self._synced)
        for namings in self._namings.values():
            for naming in namings[: rng.choice((0, len(namings), rng.randint(0, len(namings))))]:
                _rename_in(names, naming)
        return {path: _choose(file, rng, gaps=".db" in PurePosixPath(path).name) for path, file in names.items()}

    def _find(self, path: str) -> str | None:
        """The whole path of a file below the roots; None for any other."""
        if path.startswith("/"):
            return path if any(path == root or path.startswith(f"{root}/") for root in self._roots) else None
        return next((whole for root in self._roots if (whole := f"{root}/{path}") in self._live), None)

    def _open(self, path: str, call: FileCall) -> None:
        file = self._live.get(path)
        if file is None:
            if "O_CREAT" not in call.flags:
                return
            file = self._live[path] = _File(bytearray())
            self._namings[_parent(path)].append(_Naming(call.ended, path, file))
        elif "O_TRUNC" in call.flags:
            file.pending.append(_Change(call.ended, 0, b"", is_truncation=True))
            file.size = 0
        self._positions[id(file), call.descriptor] = None if "O_APPEND" in call.flags else 0

    def _rename(self, path: str, call: FileCall) -> None:
        target = call.target if call.target.startswith("/") else path[: -len(call.path)] + call.target
        file = self._live.pop(path, None)
        if file is not None:
            self._live[target] = file
            self._namings[_parent(target)].append(_Naming(call.ended, target, file, path))

    def _unlink(self, path: str, call: FileCall) -> None:
        if self._live.pop(path, None) is not None:
            self._namings[_parent(path)].append(_Naming(call.ended, path, None))

    def _sync(self, path: str, call: FileCall) -> None:
        if self._ignores_sync(path):
            return
        if (file := self._live.get(path)) is not None:
            for change in file.pending:
                if change.ended <= call.began:
                    _apply(file.synced, change)
            file.pending = [change for change in file.pending if change.ended > call.began]
            return
        for naming in self._namings.pop(path, []):
            if naming.ended <= call.began:
                _rename_in(self._synced, naming)
            else:
                self._namings[path].append(naming)

    def _change(self, path: str, call: FileCall) -> None:
        file = self._live.get(path)
        if file is None:
            return
        if call.kind == "extend" and call.size <= file.size:
            return
        if call.kind != "write":
            file.pending.append(_Change(call.ended, call.size, b"", is_truncation=True))
            file.size = call.size
            return
        offset, key = call.offset, (id(file), call.descriptor)
        if offset is None:
            position = self._positions.get(key)
            offset = file.size if position is None else position
            if position is not None:
                self._positions[key] = offset + len(call.data)
        file.pending.append(_Change(call.ended, offset, call.data))
        file.size = max(file.size, offset + len(call.data))


def in_order(calls: Iterable[FileCall]) -> Iterator[tuple[float, FileCall]]:
    """Yield each call with the time at which `Disk.play` is to be given it."""
    known = list(calls)
    begins = sorted(((call.began, call) for call in known if call.kind in _CONTENTS), key=_time)
    ends = sorted(((call.ended, call) for call in known if call.kind not in _CONTENTS), key=_time)
    return heapq.merge(begins, ends, key=_time)


def write_state(state: Mapping[str, bytes], root: Path, folder: Path) -> None:
    """Write the files below `root` into the folder."""
    for path, data in state.items():
        if PurePosixPath(path).is_relative_to(root):
            place = folder / PurePosixPath(path).relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def _time(timed: tuple[float, FileCall]) -> float:
    return timed[0]


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _rename_in(names: dict[str, _File], naming: _Naming) -> None:
    if naming.source:
        names.pop(naming.source, None)
    if naming.file is None:
        names.pop(naming.path, None)
    else:
        names[naming.path] = naming.file


def _apply(content: bytearray, change: _Change) -> None:
    end = change.offset + len(change.data)
    if change.is_truncation:
        del content[change.offset :]
    if len(content) < end or (change.is_truncation and len(content) < change.offset):
        content.extend(bytes(max(end, change.offset) - len(content)))
    if not change.is_truncation:
        content[change.offset : end] = change.data


def _choose(file: _File, rng: Random, *, gaps: bool) -> bytes:
    """One of the contents that the file may have."""
    content, sector = bytearray(file.synced), rng.choice(SECTOR_BYTES)
    match rng.choice(HOW_MUCH):
        case "all":
            for change in file.pending:
                _apply(content, change)
        case "torn" if file.pending:
            whole = rng.randrange(len(file.pending))
            for change in file.pending[:whole]:
                _apply(content, change)
            _apply_torn(content, file.pending[whole], rng, sector)
        case "any sectors":
            for change in file.pending:
                _apply_some(content, change, rng, sector, gaps=gaps)
    return bytes(content)


def _apply_torn(content: bytearray, change: _Change, rng: Random, sector: int) -> None:
    """The first sectors of a change."""
    size = len(change.data)
    kept = min(size, rng.randint(0, size // sector + 1) * sector - change.offset % sector)
    if not change.is_truncation and kept > 0:
        _apply(content, _Change(change.ended, change.offset, change.data[:kept]))


def _apply_some(content: bytearray, change: _Change, rng: Random, sector: int, *, gaps: bool) -> None:
    """Some sectors of a change: behind the end only those without a gap before them, unless gaps may be."""
    if change.is_truncation:
        if rng.random() < 0.5:  # noqa: PLR2004 as likely as not
            _apply(content, change)
        return
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        upto = min(end, at - at % sector + sector)
        if rng.random() < 0.5 and (gaps or at <= len(content)):  # noqa: PLR2004 as above
            _apply(content, _Change(0.0, at, change.data[at - change.offset : upto - change.offset]))
        at = upto
