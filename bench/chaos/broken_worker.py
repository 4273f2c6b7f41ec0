"""Celery's command line, for workers that behave like a broken release while a file exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.bin.celery import main as celery

from pipeline.processing import validate
from pipeline.settings import read_environment

BROKEN_RELEASE_FILE = "broken-release"  # file in the data directory


def main() -> None:
    """Run Celery; if the file is there as it starts, no hook can be loaded."""
    if (Path(read_environment(None)["CRATEWIRE_DATA_DIR"]) / BROKEN_RELEASE_FILE).exists():
        vars(validate)["_load"] = _fail
    celery()


def _fail(*_: Any) -> Any:
    raise AttributeError("as a release may")


if __name__ == "__main__":
    main()
