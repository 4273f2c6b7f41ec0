"""The code of the release before this one, unpacked from the history of this checkout."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from bench.chaos.supervisor import ROOT

COMMIT = "8e3e6bfe"  # the last one whose links went from task to task through the broker
LINK_WORKER = Path(__file__).with_name("link_worker.py")


def unpack_release_before(folder: Path, commit: str | None = None) -> Path | None:
    """Return a folder with its code, or that of another commit; None if the checkout does not have its history."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit or COMMIT],  # noqa: S607 the system's
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        return None
    code = folder / "release-before"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(code, filter="data")
    return code


def leave_batch_in_broker(code: Path, environment: Mapping[str, str], last_link: str) -> bool:
    """Have that release run its links up to this one, whose batch then waits in the broker. Returns whether it does."""
    done = subprocess.run(
        [sys.executable, "-P", str(LINK_WORKER), last_link],
        cwd=code,
        env=environment,
        check=False,
        timeout=120,
    )
    return done.returncode == 0
