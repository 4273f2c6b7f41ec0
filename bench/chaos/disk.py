"""Small disks that can be full: memory file systems in a private mount namespace, which ends with this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BLOCK = 65_536
_NAMESPACE = ("unshare", "--mount", "--propagation", "private")


def enter_namespace(arguments: Sequence[str], inside: str) -> None:
    """Restart this program in its own mount namespace, with the flag `inside`, if the system allows it."""
    allowed = os.geteuid() == 0 and shutil.which(_NAMESPACE[0]) is not None
    if allowed and subprocess.run([*_NAMESPACE, "true"], check=False, capture_output=True).returncode == 0:
        os.execvp(_NAMESPACE[0], [*_NAMESPACE, sys.executable, "-m", "bench.chaos", inside, *arguments])  # noqa: S606


def small_disk(place: Path, megabytes: int) -> None:
    """Put a disk of that size there."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)  # noqa: S607 the system's


def remove_disk(place: Path) -> None:
    """Unmount it; a process with an open file keeps the file until it closes it."""
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)  # noqa: S607 the system's


@contextmanager
def filled_disk(place: Path) -> Iterator[None]:
    """No byte is free while the block runs."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(BLOCK)):
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()
