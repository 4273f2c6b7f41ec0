"""The inbox's Valkey that dies, sleeps, is full, forgets, or cannot be reached."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.chaos.answer_times import get_waits_ms, judge_waits
from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from pipeline.infra import redis_keys

ANSWER_MS = 300  # an acknowledgement without Valkey, after the first seconds
NOTICE_TIMEOUT_S = 2.0
MAX_LATE_SHARE = 0.01  # of the hooks: nine processes share the machine's cores
MAX_WAIT_MS = 3_000  # not one of them: every later command on the connection would wait too
RESUME_TIMEOUT_S = 10.0


def killed(scene: FaultRun) -> None:
    """SIGKILL, and absent for one to thirty seconds."""
    for away in (1, 30) if not scene.short else (3,):
        with expect_fast_answers(scene):
            scene.here.keeper.down("valkey")
            time.sleep(away)
        scene.here.keeper.up("valkey")
        scene.ended_at = time.time_ns() // 1000
        time.sleep(scene.seconds(12, 4))


def stopped(scene: FaultRun) -> None:
    """SIGSTOP: connections stay open, nothing responds."""
    with expect_fast_answers(scene):
        scene.here.keeper.kill("valkey", signal.SIGSTOP)
        time.sleep(scene.seconds(60, 6))
    scene.here.keeper.kill("valkey", signal.SIGCONT)


def full(scene: FaultRun) -> None:
    """`maxmemory` below what is used: every write is refused."""
    redis = scene.here.redis
    redis.config_set("maxmemory", 1_000_000)
    time.sleep(scene.seconds(20, 5))
    redis.config_set("maxmemory", 0)


def emptied(scene: FaultRun) -> None:
    """Everything but the streams of the inbox is gone: leases, tokens, kicks, beat's schedule, budgets."""
    redis = scene.here.redis
    for _ in range(scene.times(10, 3)):
        names = [name for name in redis.scan_iter(count=1000) if not name.startswith(redis_keys.INBOX.encode())]
        if names:
            redis.delete(*names)
        time.sleep(scene.rng.uniform(1.0, 3.0))


def blackholed(scene: FaultRun) -> None:
    """The network swallows everything."""
    with expect_fast_answers(scene):
        scene.here.proxy.be("blackhole")
        time.sleep(scene.seconds(30, 5))
    scene.here.proxy.be("pass")


def reset(scene: FaultRun) -> None:
    """Connections are cut and refused, again and again."""
    for _ in range(scene.times(10, 2)):
        scene.here.proxy.be("reset")
        time.sleep(scene.rng.uniform(0.2, 1.5))
        scene.here.proxy.be("pass")
        time.sleep(scene.rng.uniform(0.5, 1.5))


def slow(scene: FaultRun) -> None:
    """Two seconds more for everything."""
    with expect_fast_answers(scene):
        scene.here.proxy.be("slow", delay=2.0)
        time.sleep(scene.seconds(30, 6))
    scene.here.proxy.be("pass")


@contextmanager
def expect_fast_answers(scene: FaultRun, without: str = "Valkey", notice: float = NOTICE_TIMEOUT_S) -> Iterator[None]:
    """While the block runs the receiver is to answer quickly once it has noticed, without gathering threads."""
    before, started = scene.threads(), time.time_ns() // 1000
    yield
    gone, after = time.time_ns() // 1000, scene.threads()
    known = started + int(notice * 1_000_000)
    if gone > known:
        _check_answers(scene, without, get_waits_ms(list(scene.load.sent), known, gone))
    if after > before + 2:
        scene.add_failure(f"web's threads went from {before} to {after}")


def _check_answers(scene: FaultRun, without: str, waits: list[float]) -> None:
    late = sum(wait > ANSWER_MS for wait in waits)
    worst = max(waits, default=0)
    scene.note(f"without {without}: {len(waits)} hooks, worst {worst:.0f} ms, {late} above {ANSWER_MS}")
    wrong = judge_waits(waits, ANSWER_MS, MAX_LATE_SHARE) or judge_waits(waits, MAX_WAIT_MS)
    if wrong:
        scene.add_failure(f"without {without}: {wrong}")


FAULTS = (
    Fault("valkey killed", killed, resumes_s=RESUME_TIMEOUT_S),
    Fault("valkey stopped", stopped, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S),
    Fault("valkey full", full, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S),
    Fault("valkey emptied", emptied, databases=ONLY_SQLITE),
    Fault("valkey blackholed", blackholed, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S),
    Fault("valkey reset", reset, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S),
    Fault("valkey 2 s slower", slow, databases=ONLY_SQLITE, resumes_s=RESUME_TIMEOUT_S),
)
