"""Which code this process runs. A hook that fails with an internal error in one release may succeed in another."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipeline
import schemas


def get_running_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("cratewire")
    except PackageNotFoundError:
        return "unknown"


def hash_source(folders: list[Path]) -> str:
    """Return a short hash of the Python and Lua files in these folders. It changes with any of them."""
    digest = sha256()
    for folder in folders:
        for file in sorted(file for pattern in ("*.py", "*.lua") for file in folder.rglob(pattern)):
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


# Computed when the process starts: an upgrade may replace the files of a process that is running.
RELEASE = hash_source([Path(path) for package in (schemas, pipeline) for path in package.__path__])
