"""Builds the wheel and the sdist, with nothing that differs from one build of the same files to the next."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import read_environment


@dataclass(frozen=True)
class Packages:
    wheel: Path
    sdist: Path


def build_packages(source: Path, into: Path, built_at_s: int) -> Packages:
    """Build both from the files in `source`; `built_at_s` is the time of every file in them, in seconds since 1970."""
    environment = {**read_environment(None), "SOURCE_DATE_EPOCH": str(built_at_s)}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into.resolve())]
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    return Packages(wheel, sdist)
