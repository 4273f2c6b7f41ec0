"""A platform that refuses, fails, hangs, responds wrongly or is slow. Events dropped after a 200 cannot be detected."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from bench.chaos.accounting import get_delays_s
from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun, now_us
from pipeline.inbox import stream

PAUSE_S = 2.0
TOO_MANY_REQUESTS = 429
# Retry-After in seconds, and for how long no call may follow: a date has no fractions.
FORMS = (("retry-after", 3, 3.0), ("http-date", 3, 2.0), ("none", 0, 0.0), ("retry-after", -5, 0.0))
DEAD_CONNECTIONS = 16  # four for each process that delivers
MAX_STANDSTILL_S = 60.0  # seconds
CALL_TIMEOUT_US = 17_000_000  # µs: by then every call that began when the platform was struck has been given up
TOLERANCE_S = 0.2  # seconds by which a percentile may differ on a busy machine; undisturbed it is 0.1


def throttled(scene: FaultRun) -> None:
    """429 with seconds, with a date, without a word, and with nonsense."""
    for headers, wait_s, least in FORMS:
        known = len(scene.here.platform.calls())
        scene.here.platform.set_fault(mode="429", headers=headers, retry_after=wait_s, n=scene.times(4, 2))
        time.sleep(scene.seconds(12, 5))
        scene.here.platform.clear_faults()
        _check_pauses(scene, least, known)


def failing(scene: FaultRun) -> None:
    """500 and 503."""
    for code in (500, 503):
        with scene.here.platform.fault(mode="status", code=code):
            time.sleep(scene.seconds(15, 2))


def hanging(scene: FaultRun) -> None:
    """No response at all: once with the operation done, once without."""
    for processed in (True, False) if not scene.short else (True,):
        scene.here.platform.set_fault(mode="hang", hold_s=60, processed=processed)
        time.sleep(scene.seconds(20, 3))


def resetting(scene: FaultRun) -> None:
    """The connection is cut before or after the call was processed."""
    for _ in range(scene.times(10, 3)):
        scene.here.platform.set_fault(mode=scene.rng.choice(["reset", "reset-before"]))
        time.sleep(PAUSE_S)


def partial(scene: FaultRun) -> None:
    """207: some items of a call are refused. They are set aside, the others have arrived."""
    for _ in range(scene.times(5, 2)):
        scene.here.platform.set_fault(mode="partial", indexes=[0, 3])
        time.sleep(PAUSE_S)


def revoked(scene: FaultRun) -> None:
    """A 401 in the middle: the connection pauses until it is resumed."""
    with scene.here.platform.fault(mode="auth-revoked"):
        time.sleep(scene.seconds(8, 4))
    scene.here.connect(scene.here.platform)


def odd(scene: FaultRun) -> None:
    """The page of a proxy, responses cut short or sent slowly, and a redirect, which pauses the connection."""
    for mode in ("html", "truncated-json", "wrong-content-length", "slow-body"):
        scene.here.platform.set_fault(mode=mode, n=scene.times(3, 1))
        time.sleep(scene.seconds(PAUSE_S, 1))
    with scene.here.platform.fault(mode="redirect"):
        time.sleep(scene.seconds(PAUSE_S, 1))
    scene.here.connect(scene.here.platform)


def hanging_neighbours(scene: FaultRun) -> None:
    """Several connections hang for ever; neither a sound connection nor a new, still slow lane may be affected."""
    before = list(scene.load.sent)
    dead = [scene.here.platform.second() for _ in range(scene.times(DEAD_CONNECTIONS, 1))]
    for number, one in enumerate(dead):
        scene.here.connect(one, f"dead {number}")
    for dead_hook in dead:
        dead_hook.set_fault(mode="hang", hold_s=60, n=-1)
    struck = now_us()
    new = scene.here.platform.second()
    scene.here.connect(new, "new")
    joined = now_us()
    time.sleep(scene.seconds(40, 20))
    during = [hook for hook in list(scene.load.sent) if struck < hook.sent_at < now_us() - 5_000_000]
    scene.here.platform.clear_faults()
    scene.others |= {**dict.fromkeys(dead, struck), new: joined}

    def check() -> None:
        arrived = scene.here.platform.arrived()
        usual, beside = p95(get_delays_s(before, arrived)), p95(get_delays_s(during, arrived))
        later = p95(get_delays_s([hook for hook in during if hook.sent_at > struck + CALL_TIMEOUT_US], arrived))
        newly = p95(get_delays_s([hook for hook in during if hook.sent_at > joined], new.arrived()))
        scene.note(f"p95 of the sound connection: {usual:.2f} s before, {beside:.2f} s beside {len(dead)} dead ones")
        scene.note(f"{later:.2f} s of it, once each of those has had its first timeout; of a new one {newly:.2f} s")
        for whose, delay in (("the sound connection", beside), ("a new connection", newly)):
            if is_delayed(usual, delay):
                scene.add_failure(f"dead connections delay {whose}: p95 {delay:.2f} s")

    scene.checks.append(check)


def slow_for_one(scene: FaultRun) -> None:
    """Six seconds for each call, and a single worker process: the inbox must still be processed."""
    with _one_process(scene):
        with scene.here.platform.fault(mode="latency", ms=6_000):
            time.sleep(scene.seconds(90, 30))
            oldest = stream.get_oldest_received_at(scene.here.redis)
        waited = 0.0 if oldest is None else time.time() - oldest / 1_000_000
        scene.note(f"the oldest hook in the inbox had waited {waited:.0f} s")
        if waited > MAX_STANDSTILL_S:
            scene.add_failure("the inbox was left standing")


@contextmanager
def _one_process(scene: FaultRun) -> Iterator[None]:
    keeper = scene.here.keeper
    usual = keeper.environment["CRATEWIRE_WORKERS"]
    keeper.environment["CRATEWIRE_WORKERS"] = "1"
    keeper.down("worker2")
    keeper.kill("worker")
    yield
    keeper.environment["CRATEWIRE_WORKERS"] = usual
    keeper.kill("worker")
    keeper.up("worker2")


def _check_pauses(scene: FaultRun, wait_s: float, known: int) -> None:
    """No call is made within a Retry-After."""
    ordered = sorted(scene.here.platform.calls()[known:], key=lambda call: call["started_at"])
    for call, following in pairwise(ordered):
        waited = (following["started_at"] - call["started_at"]) / 1_000_000
        if call["status"] == TOO_MANY_REQUESTS and waited < wait_s:
            scene.add_failure(f"asked again after {waited:.2f} s of {wait_s} s")


def is_delayed(usual: float, later: float) -> bool:
    """Whether it is more than twice as slow as before, or unknown."""
    return math.isinf(usual) or later > 2 * usual + TOLERANCE_S


def p95(times: Sequence[float]) -> float:
    """Of sorted times. Without any of them there is nothing that could be called quick."""
    return times[int(0.95 * (len(times) - 1))] if times else math.inf


FAULTS = (
    Fault("platform 429", throttled),
    Fault("platform 500 and 503", failing),
    Fault("platform hangs", hanging, databases=ONLY_SQLITE),
    Fault("platform resets", resetting, databases=ONLY_SQLITE),
    Fault("platform 207", partial, databases=ONLY_SQLITE),
    Fault("platform 401", revoked, databases=ONLY_SQLITE),
    Fault("platform odd answers", odd, databases=ONLY_SQLITE),
    Fault("slow platform, one process", slow_for_one, rate=20, databases=ONLY_SQLITE),
    Fault("dead connections", hanging_neighbours, rate=30, needs_new_installation=True),
)
