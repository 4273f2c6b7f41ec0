"""How long a hook takes to the platform when nothing else is under way: from its POST until the platform has the event.

The people are known to the platform already, as those of most hooks are.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

from bench.contenders import Contender, Start
from bench.hooks import Hook, about
from bench.load import drive, post
from bench.running import Folder
from bench.vendor import Vendor, vendor

PEOPLE = 20
_PAUSE = (0.25, 0.75)  # seconds between two hooks: random, so that no sweep is always met


def measure(start: Start, samples: int) -> list[float]:
    """The delays, in ms."""
    rng = Random(1)
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        folder = Folder(Path(home))
        with vendor(folder) as platform, start(folder, platform) as contender:
            for number in range(PEOPLE):
                _tell(contender, about(number, number))
            platform.wait_for(PEOPLE)
            sent = []
            for number in range(samples):
                time.sleep(rng.uniform(*_PAUSE))
                sent.append(time.time())
                _tell(contender, about(PEOPLE + number, number % PEOPLE))
            platform.wait_for(PEOPLE + samples)
            return [1_000 * (heard - at) for heard, at in zip(_heard(platform)[PEOPLE:], sent, strict=True)]


def _tell(contender: Contender, hook: Hook) -> None:
    drive(contender.port, [post(contender.paths(hook.event), hook.body)], 1)


def _heard(platform: Vendor) -> list[float]:
    """When each event came, in their order: each is here before the next is told of."""
    return sorted(event["received_at"] / 1_000_000 for person in platform.people() for event in person["events"])
