"""Which code this process runs: what a hook dies of with one release, another may have mended."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pipeline
import schemas


def release_of(folders: list[Path]) -> str:
    """Return a short hash of the Python and Lua files in these folders. It changes with any of them."""
    found = sha256()
    for folder in folders:
        for file in sorted(file for pattern in ("*.py", "*.lua") for file in folder.rglob(pattern)):
            found.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:12]


# Taken when the process begins: an upgrade may change the files under one that runs.
RELEASE = release_of([Path(path) for package in (schemas, pipeline) for path in package.__path__])
