"""Reads and replaces the environment of this process: the only module that does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def read_environment(dotenv: Path | None = Path(".env")) -> dict[str, str]:
    """The environment of this process; what it leaves out is taken from the `.env` file in the working directory."""
    return _read_dotenv(dotenv) | dict(os.environ) if dotenv and dotenv.exists() else dict(os.environ)


def _read_dotenv(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values  # noqa: PLC0415  most commands have no such file

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def replace_environment(environment: Mapping[str, str]) -> None:
    """Make this the environment of this process: it was forked, and is started as if it had been executed."""
    os.environ.clear()
    os.environ.update(environment)
