"""Kills all running process groups when its standard input closes, so that none outlives a killed `cratewire run`.

The supervisor writes "+<group>" when a child starts and "-<group>" after it has ended. If the supervisor is killed,
the pipe closes. After a clean stop no group is left by then. A parent-death
signal would reach only direct children, not their pools, and does not exist on every system.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def find_live_groups(lines: Iterable[str]) -> set[int]:
    """Return the groups that were started and have not ended."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    return groups


def main() -> None:
    """Wait for the end of the input, then kill the groups that are left. A kill loses no acknowledged hook."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    for group in find_live_groups(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
