"""Small secrets that are generated once and stored in the data directory, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.core.errors import Misconfigured, NoDataDirectory


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the file's text. If there is no file, `make` generates it; of several processes at once, one wins.

    Raises NoDataDirectory if the file can be neither read nor created, Misconfigured if it is empty.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create_exclusively(path, make())
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoDataDirectory(f"{path} can be neither read nor created: {error.strerror}") from error
    if not text:
        raise Misconfigured(f"{path} is empty; remove it or put its text back")
    return text


def replace_file(path: Path, text: str) -> None:
    """Replace the file's text atomically. The same text is not written again, so that a full disk does no harm."""
    if not _has_content(path, text):
        _write_temporary_file(path, text).replace(path)


def _has_content(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == f"{text}\n"
    except (OSError, UnicodeDecodeError):
        return False


def _create_exclusively(path: Path, text: str) -> None:
    """Create the file unless it exists. A link fails if it does, so the first process wins with a complete file."""
    written = _write_temporary_file(path, text)
    try:
        os.link(written, path)
    except FileExistsError:
        pass
    finally:
        written.unlink()


def _write_temporary_file(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:  # a full disk, which half a file per attempt would make worse
        Path(name).unlink()
        raise
    return Path(name)
