"""The time of a hook to the platform when nothing else is in flight: from its POST until the platform has the event.

The platform already has profiles of the people, as for most hooks.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random

from bench.hooks import Hook, make_order_hook
from bench.load import post, send_requests
from bench.platform import Platform, start_platform
from bench.processes import Folder
from bench.systems import StartSystem, SystemUnderTest

PEOPLE = 20
_PAUSE_RANGE_S = (0.25, 0.75)  # seconds between two hooks: random, so that no sweep is always met


def measure(start: StartSystem, samples: int) -> list[float]:
    """The delays, in ms."""
    rng = Random(1)
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        folder = Folder(Path(home))
        with start_platform(folder) as platform, start(folder, platform) as contender:
            for number in range(PEOPLE):
                _send_hook(contender, make_order_hook(number, number))
            platform.wait_for(PEOPLE)
            sent = []
            for number in range(samples):
                time.sleep(rng.uniform(*_PAUSE_RANGE_S))
                sent.append(time.time())
                _send_hook(contender, make_order_hook(PEOPLE + number, number % PEOPLE))
            platform.wait_for(PEOPLE + samples)
            return [
                1_000 * (arrived - at) for arrived, at in zip(_get_arrival_times(platform)[PEOPLE:], sent, strict=True)
            ]


def _send_hook(contender: SystemUnderTest, hook: Hook) -> None:
    send_requests(contender.port, [post(contender.paths(hook.event), hook.body)], 1)


def _get_arrival_times(platform: Platform) -> list[float]:
    """The arrival time of each event in order: each arrives before the next hook is sent."""
    return sorted(event["received_at"] / 1_000_000 for person in platform.people() for event in person["events"])
