"""Opens connections for the lanes: unseals their config, makes the destination and the account's budget."""

from __future__ import annotations

import os
import time
from random import Random

from pipeline import keys
from pipeline.destinations import DESTINATIONS
from pipeline.errors import Misconfigured
from pipeline.http import outside
from pipeline.lanes.budget import Budget
from pipeline.lanes.line import LaneDeps, Line
from pipeline.ledger.connections import find_connection
from pipeline.ledger.engine import reading
from pipeline.secrets import unseal
from tasks.process import Process

GIVING_WAY_SHARE = 0.5  # of an account's rate, for what gives way to live hooks


def lane_deps(here: Process) -> LaneDeps:
    """What the lanes of this process need."""
    rng = Random(f"{os.getpid()}{time.time_ns()}{os.urandom(8).hex()}")  # noqa: S311 back-off jitter and lease names
    return LaneDeps(here.engine, here.redis, lambda connection_id: open_line(here, connection_id), here.now, rng)


def open_line(here: Process, connection_id: int) -> Line:
    """The connection's destination and budget. Read anew for each run: keys and pauses change."""
    with reading(here.engine) as db:
        link = find_connection(db, connection_id)
    if link is None:
        raise Misconfigured(f"connection {connection_id} is gone")
    destination = DESTINATIONS[link.platform](
        unseal(here.settings.secret_keys, link.config), outside(anywhere=here.settings.connect_anywhere)
    )
    name = keys.budget(link.platform, link.account)
    budget = Budget(here.redis, name, destination.calls_per_second)
    share = Budget(here.redis, f"{name}:share", destination.calls_per_second * GIVING_WAY_SHARE)
    return Line(destination, budget, share)
