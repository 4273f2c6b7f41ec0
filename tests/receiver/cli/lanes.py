"""Delivers what waits for a connection, without a worker."""

from __future__ import annotations

from pipeline.lanes.lane import run_lane
from tasks.lines import lane_deps
from tests.installation import Installation


def run_lane_of(installed: Installation, connection: int) -> None:
    run_lane(lane_deps(installed.process), connection, 0, until=installed.process.now() + 60_000_000)
