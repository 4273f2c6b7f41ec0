"""Celery's broker that dies, sleeps, is full, forgets, or cannot be reached: the receiver is not to notice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from bench.chaos.faults.valkey import RESUME_TIMEOUT_S, expect_fast_answers
from bench.chaos.installation import WORKERS
from pipeline.infra.embedded_valkey import BROKER


def killed(scene: FaultRun) -> None:
    """SIGKILL, and absent for one to twenty seconds. It has no disk, so it returns empty."""
    for gone in (1, 20) if not scene.short else (3,):
        with _check_receiver_unaffected(scene):
            scene.here.keeper.down(BROKER)
            time.sleep(gone)
        scene.here.keeper.up(BROKER)
        scene.ended_at = time.time_ns() // 1000
        time.sleep(scene.seconds(12, 4))


def stopped(scene: FaultRun) -> None:
    """SIGSTOP: connections stay open, nothing responds."""
    with _check_receiver_unaffected(scene):
        scene.here.keeper.kill(BROKER, signal.SIGSTOP)
        time.sleep(scene.seconds(30, 6))
    scene.here.keeper.kill(BROKER, signal.SIGCONT)


def full(scene: FaultRun) -> None:
    """`maxmemory` below the used memory: no message is accepted, and none that is read can be recorded."""
    broker = scene.here.broker
    with _check_receiver_unaffected(scene):
        broker.config_set("maxmemory", 1_000_000)
        time.sleep(scene.seconds(20, 5))
    broker.config_set("maxmemory", 0)


def emptied(scene: FaultRun) -> None:
    """Every message is gone, and the queues with what binds them."""
    with _check_receiver_unaffected(scene):
        for _ in range(scene.times(10, 3)):
            scene.here.broker.flushall()
            time.sleep(scene.rng.uniform(1.0, 3.0))


def blackholed(scene: FaultRun) -> None:
    """The network swallows everything."""
    with _check_receiver_unaffected(scene):
        scene.here.broker_proxy.be("blackhole")
        time.sleep(scene.seconds(30, 5))
    scene.here.broker_proxy.be("pass")


def reset(scene: FaultRun) -> None:
    """Connections are cut and refused, again and again."""
    with _check_receiver_unaffected(scene):
        for _ in range(scene.times(10, 2)):
            scene.here.broker_proxy.be("reset")
            time.sleep(scene.rng.uniform(0.2, 1.5))
            scene.here.broker_proxy.be("pass")
            time.sleep(scene.rng.uniform(0.5, 1.5))


def slow(scene: FaultRun) -> None:
    """Two seconds more for everything."""
    with _check_receiver_unaffected(scene):
        scene.here.broker_proxy.be("slow", delay=2.0)
        time.sleep(scene.seconds(20, 6))
    scene.here.broker_proxy.be("pass")


def _check_receiver_unaffected(scene: FaultRun) -> AbstractContextManager[None]:
    """The receiver answers as quickly as ever, from the first moment; and in the end no worker is deaf."""
    scene.checks[:] = [lambda: check_consumers(scene)]
    return expect_fast_answers(scene, "the broker", notice=0.0)


def check_consumers(scene: FaultRun, seconds: float = RESUME_TIMEOUT_S) -> None:
    """Each idle worker waits for messages on a connection, also if another worker could do its work."""
    deadline = time.monotonic() + seconds
    while (consuming := scene.here.broker.info("clients")["blocked_clients"]) != len(WORKERS):
        if time.monotonic() > deadline:
            scene.add_failure(f"{consuming} of {len(WORKERS)} workers consume again")
            return
        time.sleep(0.1)


def _fault(name: str, strike: Callable[[FaultRun], None]) -> Fault:
    return Fault(f"broker {name}", strike, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S)


FAULTS = (
    _fault("killed", killed),
    _fault("stopped", stopped),
    _fault("full", full),
    _fault("emptied", emptied),
    _fault("blackholed", blackholed),
    _fault("reset", reset),
    _fault("2 s slower", slow),
)
