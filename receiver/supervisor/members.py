"""Which processes belong to which child: all that lead, or were started in, its session."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STATE, SESSION = 0, 3  # fields of /proc/<pid>/stat, behind the process's name
ZOMBIE = "Z"  # it has ended, and its parent has not noticed yet


def find_members(sessions: Mapping[int, str], proc: Path = Path("/proc")) -> dict[int, str]:
    """Return the name of the child that each process belongs to, by process id; `sessions` are ids and their names.

    Empty where the system has no /proc.
    """
    found = {}
    for place in proc.iterdir() if proc.is_dir() else ():
        if place.name.isdigit():
            with suppress(OSError):  # it has just ended
                fields = (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                name = sessions.get(int(fields[SESSION]))
                if name and fields[STATE] != ZOMBIE:
                    found[int(place.name)] = name
    return found
