"""What most commands take: the data directory, and the settings that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from pipeline.settings import Settings, read_environment

LARGEST_ID = 2**63 - 1  # of a row in any database

P = ParamSpec("P")
R = TypeVar("R")


def data_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add --data, which the command takes as `data` and hands to `settings_of`."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="The data directory; wins over CRATEWIRE_DATA_DIR.",
    )(command)


def load_settings(data: Path | None, port: int | None = None) -> Settings:
    """The settings of this command; raises Misconfigured."""
    return Settings.from_environment(read_environment(), data_dir=data, port=port)


def is_row_id(text: str) -> bool:
    """Whether a row can have this as its id."""
    return text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID
