"""The Celery app for a worker with `-P threads`: deliveries run in the pool's threads instead of background calls."""

from __future__ import annotations

from collections.abc import Callable

from tasks import deliveries, process
from tasks.app import app
from tasks.worker.background_calls import BackgroundCalls, CallState

__all__ = ["app"]

THREADS = 32


class CallsInPlace(BackgroundCalls):
    """Runs the work in the thread that asks for it, however long a call takes."""

    def run(self, name: str, work: Callable[[CallState], None]) -> None:  # noqa: ARG002 the signature of the base
        work(CallState())


vars(deliveries)["background_calls"] = CallsInPlace(THREADS)
vars(process)["DB_POOL_SIZE"] = THREADS
