"""Sends the pending deliveries of a connection, without a worker."""

from __future__ import annotations

from pipeline.delivery.lane import run_lane
from tasks.deliveries import build_lane_deps
from tests.installation import Installation


def run_lanes(installed: Installation, connection: int) -> None:
    run_lane(build_lane_deps(installed.process), connection, 0, until=installed.process.now() + 60_000_000)
