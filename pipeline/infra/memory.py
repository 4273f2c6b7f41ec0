"""How much memory this process and its children may still use, and how often the kernel has killed one for memory.

Considers the machine's memory and the limits of this process's control group and of every group above it (v1 and v2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000
_KIBIBYTE = 1024
_NO_LIMIT = 2**60  # version 1 writes a number close to 2**63, version 2 "max"


@dataclass(frozen=True, slots=True)
class _CgroupVersion:
    """Where a version of control groups is mounted, and its files: limit, use, kills, and the cached part of use."""

    mounts: tuple[str, ...]
    limit: str
    used: str
    kills: str
    cached: tuple[str, ...]


_CGROUP_V1 = _CgroupVersion(
    ("sys/fs/cgroup/memory",),
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    ("total_inactive_file", "total_active_file"),
)
_CGROUP_V2 = _CgroupVersion(
    ("sys/fs/cgroup", "sys/fs/cgroup/unified"),
    "memory.max",
    "memory.current",
    "memory.events",
    ("inactive_file", "active_file"),
)


def get_available_bytes(root: Path = Path("/")) -> int | None:
    """Return how many bytes can still be used; None if the system does not say."""
    limits = [_get_group_available(group, version) for group, version in _find_groups(root)]
    known = [available for available in (_get_machine_available(root), *limits) if available is not None]
    return min(known, default=None)


def count_oom_kills(root: Path = Path("/")) -> int:
    """Return how many processes of this process's own group the kernel has killed for memory, as far as it says."""
    kills: dict[_CgroupVersion, int] = {}
    for group, version in _find_groups(root):  # a version's own group comes first
        count = _read_numbers(group / version.kills).get("oom_kill")
        if version not in kills and count is not None:
            kills[version] = count
    return max(kills.values(), default=0)


def _get_machine_available(root: Path) -> int | None:
    meminfo = _read_numbers(root / "proc/meminfo")
    free = meminfo.get("MemAvailable:")
    return None if free is None else (free + meminfo.get("SwapFree:", 0)) * _KIBIBYTE


def _find_groups(root: Path) -> Iterator[tuple[Path, _CgroupVersion]]:
    """Yield this process's groups with a memory controller, each followed by the groups above it."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        version = _CGROUP_V1 if controllers else _CGROUP_V2
        for mount in version.mounts:
            yield from ((group, version) for group in _walk_up(root / mount, path))


def _walk_up(mount: Path, path: str) -> Iterator[Path]:
    """Yield the group and those above it. In a container the path may be the host's, and the mount its own group."""
    place = mount / path.strip("/")
    group = place if ".." not in place.parts and place.is_dir() else mount
    while group != mount:
        yield group
        group = group.parent
    yield mount


def _get_group_available(group: Path, version: _CgroupVersion) -> int | None:
    """Return the bytes that the group can still use; None if it has no limit."""
    limit, used = _read_number(group / version.limit), _read_number(group / version.used)
    if limit is None or used is None or limit >= _NO_LIMIT:
        return None
    stat = _read_numbers(group / "memory.stat")
    cached = sum(stat.get(name, 0) for name in version.cached)
    return max(0, limit - used + cached)


def _read_number(path: Path) -> int | None:
    text = _read_text(path).strip()
    return int(text) if text.isdecimal() else None


def _read_numbers(path: Path) -> dict[str, int]:
    """Read a file whose lines are a name and a number."""
    rows = (line.split() for line in _read_text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
