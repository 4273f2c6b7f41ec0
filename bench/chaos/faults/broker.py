"""Celery's broker that dies, sleeps, forgets, or cannot be reached: the receiver is not to notice."""

from __future__ import annotations

import signal
import time
from contextlib import AbstractContextManager

from bench.chaos.faults.valkey import TAKE_UP_SECONDS, answering
from bench.chaos.scene import ONLY_SQLITE, Fault, Scene
from pipeline.embedded import BROKER


def killed(scene: Scene) -> None:
    """SIGKILL, and away for one to twenty seconds. It has no disk: it comes back empty."""
    for gone in (1, 20) if not scene.short else (3,):
        with _unnoticed(scene):
            scene.here.keeper.down(BROKER)
            time.sleep(gone)
        scene.here.keeper.up(BROKER)
        scene.ended_at = time.time_ns() // 1000
        time.sleep(scene.seconds(12, 4))


def stopped(scene: Scene) -> None:
    """SIGSTOP: connections stand, nothing answers."""
    with _unnoticed(scene):
        scene.here.keeper.kill(BROKER, signal.SIGSTOP)
        time.sleep(scene.seconds(30, 6))
    scene.here.keeper.kill(BROKER, signal.SIGCONT)


def emptied(scene: Scene) -> None:
    """Every message is gone, and the queues with what binds them."""
    with _unnoticed(scene):
        for _ in range(scene.times(10, 3)):
            scene.here.broker.flushall()
            time.sleep(scene.rng.uniform(1.0, 3.0))


def blackholed(scene: Scene) -> None:
    """The network swallows everything."""
    with _unnoticed(scene):
        scene.here.broker_proxy.be("blackhole")
        time.sleep(scene.seconds(30, 5))
    scene.here.broker_proxy.be("pass")


def _unnoticed(scene: Scene) -> AbstractContextManager[None]:
    """The receiver answers as quickly as ever, from the first moment."""
    return answering(scene, "the broker", notice=0.0)


FAULTS = (
    Fault("broker killed", killed, databases=ONLY_SQLITE, resumes_s=TAKE_UP_SECONDS),
    Fault("broker stopped", stopped, databases=ONLY_SQLITE, resumes_s=TAKE_UP_SECONDS),
    Fault("broker emptied", emptied, databases=ONLY_SQLITE, resumes_s=TAKE_UP_SECONDS),
    Fault("broker blackholed", blackholed, databases=ONLY_SQLITE, resumes_s=TAKE_UP_SECONDS),
)
