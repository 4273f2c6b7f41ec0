"""Prints the output of many processes: each line with its time and the name of the process that wrote it."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime

PrintLine = Callable[[str, str], None]

_CYAN, _YELLOW, _GREEN, _MAGENTA, _RED, _BLUE = "36", "33", "32", "35", "31", "34"  # ANSI's codes
_COLOURS = [f"{code}{bold}" for bold in ("", ";1") for code in (_CYAN, _YELLOW, _GREEN, _MAGENTA, _RED, _BLUE)]


def make_printer(names: Sequence[str], clock: Callable[[], float] = time.time) -> PrintLine:
    """Return a function that prints a line of the named process. On a terminal each name has its colour."""
    has_colours = sys.stdout.isatty()
    colours = dict(zip(names, itertools.cycle(_COLOURS), strict=False))
    width = max(map(len, names))

    def print_line(name: str, line: str) -> None:
        at = datetime.fromtimestamp(clock()).astimezone()
        prefix = f"{at:%H:%M:%S} {name.ljust(width)} | "
        if has_colours and name in colours:
            prefix = f"\033[0m\033[{colours[name]}m{prefix}\033[0m"
        for part in line.splitlines():
            print(prefix + part, flush=True)  # noqa: T201 this is what is meant to be seen

    return print_line
