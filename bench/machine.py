"""What processes have used, read from /proc: CPU seconds and memory of a process and all its descendants."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 15)  # fields of /proc/<pid>/stat behind the name: utime, stime, cutime, cstime
_KIB = 1024


def cpu_seconds(roots: Collection[int]) -> float:
    """CPU time of these processes and their descendants, those included that have ended and been waited for."""
    return sum(sum(map(int, fields[_TIMES])) for _, fields in _family(roots)) / _TICKS_PER_S


def get_private_bytes(pid: int) -> int:
    """Unshared resident memory in bytes: what a leak increases."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    own = (line.split() for line in rollup.splitlines() if line.startswith(("Private_Clean", "Private_Dirty")))
    return sum(int(size) for _, size, _ in own) * _KIB


def descendants(roots: Collection[int]) -> list[int]:
    """The processes themselves and everything they started that still lives."""
    return [pid for pid, _ in _family(roots)]


def command_of(pid: int) -> str:
    """The command line of a process and its short name, by which forks differ; empty if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        return f"{words} ({Path(f'/proc/{pid}/comm').read_text(encoding='utf-8').strip()})"
    except OSError:
        return ""


def describe_machine() -> str:
    """This machine in a line."""
    cpus = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _KIB**3
    return f"{cpus} x {_processor()}, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def _family(roots: Collection[int]) -> Iterator[tuple[int, list[str]]]:
    table = dict(_table())
    children = defaultdict(list)
    for pid, fields in table.items():
        children[int(fields[_PARENT])].append(pid)
    waiting = [pid for pid in roots if pid in table]
    while waiting:
        pid = waiting.pop()
        yield pid, table[pid]
        waiting += children[pid]


def _table() -> Iterator[tuple[int, list[str]]]:
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                stat = (place / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            yield int(place.name), stat.rpartition(")")[2].split()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
