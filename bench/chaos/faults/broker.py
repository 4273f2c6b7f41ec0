"""Celery's broker that dies, sleeps, is full, forgets, or cannot be reached: the receiver is not to notice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.chaos.faults.valkey import TAKE_UP_SECONDS, answering
from bench.chaos.installation import WORKERS
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


def full(scene: Scene) -> None:
    """`maxmemory` below what is used: no message is taken in, and none that is taken out can be noted."""
    broker = scene.here.broker
    with _unnoticed(scene):
        broker.config_set("maxmemory", 1_000_000)
        time.sleep(scene.seconds(20, 5))
    broker.config_set("maxmemory", 0)


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


def reset(scene: Scene) -> None:
    """Connections are cut and refused, again and again."""
    with _unnoticed(scene):
        for _ in range(scene.times(10, 2)):
            scene.here.broker_proxy.be("reset")
            time.sleep(scene.rng.uniform(0.2, 1.5))
            scene.here.broker_proxy.be("pass")
            time.sleep(scene.rng.uniform(0.5, 1.5))


def slow(scene: Scene) -> None:
    """Two seconds more for everything."""
    with _unnoticed(scene):
        scene.here.broker_proxy.be("slow", delay=2.0)
        time.sleep(scene.seconds(20, 6))
    scene.here.broker_proxy.be("pass")


def _unnoticed(scene: Scene) -> AbstractContextManager[None]:
    """The receiver answers as quickly as ever, from the first moment; and in the end no worker is deaf."""
    scene.checks[:] = [lambda: check_ears(scene)]
    return answering(scene, "the broker", notice=0.0)


def check_ears(scene: Scene, seconds: float = TAKE_UP_SECONDS) -> None:
    """An idle worker waits for a message, on one connection; another may do its work while it is deaf."""
    deadline = time.monotonic() + seconds
    while (hearing := scene.here.broker.info("clients")["blocked_clients"]) != len(WORKERS):
        if time.monotonic() > deadline:
            scene.broke(f"{hearing} of {len(WORKERS)} workers hear the broker")
            return
        time.sleep(0.1)


def _row(name: str, strike: Callable[[Scene], None]) -> Fault:
    return Fault(f"broker {name}", strike, databases=ONLY_SQLITE, resumes_s=TAKE_UP_SECONDS)


FAULTS = (
    _row("killed", killed),
    _row("stopped", stopped),
    _row("full", full),
    _row("emptied", emptied),
    _row("blackholed", blackholed),
    _row("reset", reset),
    _row("2 s slower", slow),
)
