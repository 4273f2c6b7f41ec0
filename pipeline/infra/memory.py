"""How much memory this process and its children may still take, and how often the kernel has killed one for it.

Counts the machine's own and the limits of this process's control group and of every group above it (versions 1 and 2).
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
    """Where a version of control groups is mounted, and its files: limit, use, kills, and what of the use is cache."""

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
    """Bytes that can still be taken; None: this system does not say."""
    rooms = [_get_group_available(group, version) for group, version in _find_groups(root)]
    found = [room for room in (_get_machine_available(root), *rooms) if room is not None]
    return min(found, default=None)


def count_oom_kills(root: Path = Path("/")) -> int:
    """How many processes of this process's own group the kernel has killed for memory, as far as it says."""
    found: dict[_CgroupVersion, int] = {}
    for group, version in _find_groups(root):  # the own group of a version comes first
        count = _read_numbers(group / version.kills).get("oom_kill")
        if version not in found and count is not None:
            found[version] = count
    return max(found.values(), default=0)


def _get_machine_available(root: Path) -> int | None:
    known = _read_numbers(root / "proc/meminfo")
    free = known.get("MemAvailable:")
    return None if free is None else (free + known.get("SwapFree:", 0)) * _KIBIBYTE


def _find_groups(root: Path) -> Iterator[tuple[Path, _CgroupVersion]]:
    """This process's groups that know of memory, each followed by those above it."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        version = _CGROUP_V1 if controllers else _CGROUP_V2
        for mount in version.mounts:
            yield from ((group, version) for group in _walk_up(root / mount, path))


def _walk_up(mount: Path, path: str) -> Iterator[Path]:
    """In a container the path may be the host's, and what is mounted the container's own group."""
    place = mount / path.strip("/")
    group = place if ".." not in place.parts and place.is_dir() else mount
    while group != mount:
        yield group
        group = group.parent
    yield mount


def _get_group_available(group: Path, version: _CgroupVersion) -> int | None:
    """None: it has no limit."""
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
    """Lines of a name and a number."""
    words = (line.split() for line in _read_text(path).splitlines())
    return {one[0]: int(one[1]) for one in words if len(one) > 1 and one[1].isdecimal()}


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
