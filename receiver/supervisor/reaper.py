"""Ends every process group it was told of when its standard input closes: nothing outlives a killed `cratewire run`.

The supervisor writes "+<group>" when a child starts and "-<group>" when it has ended. If the supervisor is killed
without a chance to stop anything, the pipe closes. A clean stop has taken every group off by then. A parent-death
signal would reach direct children only, not their pools, and not on every system.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def find_live_groups(lines: Iterable[str]) -> set[int]:
    """The groups that were started and have not ended."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    return groups


def main() -> None:
    """Wait for the end of the input, then kill what is left. Nothing acknowledged is lost by a kill."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    for group in find_live_groups(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
