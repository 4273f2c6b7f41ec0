"""One line of output after the name of who wrote it, as honcho prints it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer

PrintLine = Callable[[str, str], None]


def make_printer(names: Sequence[str], clock: Callable[[], float] = time.time) -> PrintLine:
    """A function of a name and a line; each name has its colour on a terminal."""
    colours = dict(zip(names, get_colours(), strict=False))
    to = Printer(sys.stdout, width=max(map(len, names)))

    def say(name: str, line: str) -> None:
        at = datetime.fromtimestamp(clock()).astimezone()
        to.write(Message(type="line", data=line, time=at, name=name, colour=colours.get(name)))

    return say
