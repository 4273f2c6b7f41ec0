"""Workers, answers, servers and databases that fail while boxes go out, are cancelled and come back."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress

from bench.chaos.boxes.play import BoxRun, Strike, play_boxes
from bench.chaos.boxes.shops import PACKERS
from bench.chaos.boxes.worker import KILLS, REQUESTS
from bench.chaos.databases import POSTGRES, wait_for_postgres
from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.faults.processes import list_children

RATE = 20  # hooks a second beside the boxes
# Stage -> the requests in which workers are killed then, by the first word of their name.
_KILLED_IN: Mapping[str, tuple[str, ...]] = {
    "send": ("find", "create"),
    "cancel": ("cancel",),
    "confirm": ("write", "acknowledge"),
}
_CREATES = ("POST /cartrover/v1/cart/orders/cartrover", "POST /3pl/orders", "POST /generic")
_FINDS = ("GET /cartrover/v1/cart/orders/", "GET /3pl/orders", "GET /generic/orders/")
_CANCELS = ("GET /cartrover/v1/cart/orders/wms_cancel", "POST /3pl/orders/*/canceler", "POST /generic")
_PROTOCOLS = ("/cartrover", "/3pl", "/generic")


def _kill_at_requests(run: BoxRun, stage: str) -> None:
    """The next workers that come to these requests die, before some and after others."""
    names = [name for name in REQUESTS if name.split()[0] in _KILLED_IN[stage]]
    for name in names:
        for point in ("before", "after"):
            for number in range(run.scene.times(2, 1)):
                (run.scene.here.data_dir / KILLS / f"{point} {name} {number}").touch()
                run.struck += 1


def _check_kills(run: BoxRun) -> None:
    left = [file.name for file in (run.scene.here.data_dir / KILLS).iterdir()]
    if left:
        run.scene.add_failure(f"no worker was killed at: {', '.join(sorted(left))}")


def _kill_worker(run: BoxRun) -> None:
    """One process of the fulfilment with its pool, or a child of it alone; every fourth time beat."""
    keeper = run.scene.here.keeper
    if run.struck % 4 == 3:  # noqa: PLR2004
        keeper.kill("beat")
        return
    name = run.scene.rng.choice(PACKERS)
    children = list_children(keeper[name].pid)
    if children and run.struck % 2:
        with suppress(ProcessLookupError):
            os.kill(run.scene.rng.choice(children), signal.SIGKILL)
    else:
        keeper.kill(name)


def _lose_answers(run: BoxRun, stage: str) -> None:
    """Connections are cut after the work was done, and before it."""
    lost, never = {"drop_after_commit": True}, {"drop_before_commit": True}
    times = run.scene.times(6, 2)
    if stage == "send":
        for match in _CREATES:
            run.shops.fault(match=match, skip=1, times=times, **lost)
            run.shops.fault(match=match, times=run.scene.times(2, 1), **never)
            run.shops.fault(match=match, status=500, after_commit=True)
        for match in _FINDS:
            run.shops.fault(match=match, skip=2, **lost)
    if stage == "cancel":
        for match in _CANCELS:
            run.shops.fault(match=match, **lost)
            run.shops.fault(match=match, skip=1, **never)
    if stage == "confirm":
        run.shops.fault(match="POST /cartrover/v1/cart/orders/update", **lost)
        for shop in run.shops.all:
            shop.fault(method="PUT", skip=1, times=times, **lost)
            shop.fault(method="PUT", times=run.scene.times(2, 1), **never)
            shop.fault(method="PUT", status=502, times=1)
            shop.fault(method="GET", prefix="/v1/shipments", times=1, **lost)


def _slow_and_limited(run: BoxRun, _stage: str) -> None:
    """Answers take a second, rates are used up, and servers are busy."""
    times = run.scene.times(5, 2)
    for match in _PROTOCOLS:
        run.shops.fault(match=match, latency_ms=1_000, times=2 * times)
        run.shops.fault(match=match, skip=3, status=429, retry_after=1, times=times)
        run.shops.fault(match=match, skip=5, status=503, times=times)
    run.shops.fault(match="/cartrover", skip=1, rate_limited=True, times=times)
    run.shops.control("empty_bucket", {})
    run.shops.control("expire_tokens", {})
    for shop in run.shops.all:
        shop.fault(status=429, retry_after=1, times=times)


def _refuse_connections(run: BoxRun) -> None:
    """Those that are open are cut, and new ones are not taken."""
    run.shops.proxy.be("reset")
    time.sleep(run.scene.rng.uniform(1.0, 2.5))
    run.shops.proxy.be("pass")


def _kill_valkey_or_broker(run: BoxRun) -> None:
    run.scene.here.keeper.kill(("valkey", "broker")[run.struck % 2])


def _restart_database(run: BoxRun) -> None:
    """PostgreSQL is stopped, or killed; SQLite's write lock is held for longer than workers wait for it."""
    here = run.scene.here
    if run.scene.row.database == "sqlite":
        with closing(sqlite3.connect(here.ledger_file, isolation_level=None, timeout=30)) as db:
            db.execute("BEGIN IMMEDIATE")
            time.sleep(run.scene.seconds(12, 6))
            db.execute("ROLLBACK")
        return
    here.keeper.down(POSTGRES, (signal.SIGINT, signal.SIGKILL)[run.struck % 2])
    time.sleep(run.scene.rng.uniform(1.0, 3.0))
    here.keeper.up(POSTGRES)
    wait_for_postgres(here.database_url)


def _inject(strike: Strike) -> Callable[[FaultRun], None]:
    return lambda scene: play_boxes(scene, strike)


STRIKES: Mapping[str, Strike] = {
    "killed at a request": Strike(once=_kill_at_requests, check=_check_kills),
    "workers killed": Strike(again=_kill_worker, pause_s=(2.0, 5.0)),
    "answers lost": Strike(once=_lose_answers),
    "warehouse refuses": Strike(once=_slow_and_limited, again=_refuse_connections),
    "Valkeys killed": Strike(again=_kill_valkey_or_broker, pause_s=(4.0, 7.0), times=(3, 2)),
    "database away": Strike(again=_restart_database, pause_s=(2.0, 5.0), times=(2, 1)),
}
FAULTS = tuple(Fault(f"boxes, {name}", _inject(strike), rate=RATE) for name, strike in STRIKES.items())
