"""The machine of the inbox's Valkey dies, and Sentinels make its replica the primary."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from functools import partial

from redis import Redis

from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from bench.chaos.replicated import REPLICA, count_online_replicas, get_primary_port
from bench.chaos.waiting import wait_until
from pipeline.infra.embedded_valkey import EmbeddedValkey

LAG_S = 1.0  # for which the replica receives nothing before its primary dies


def fail_over(scene: FaultRun) -> None:
    """SIGKILL for the primary while its replica lags; when the replica is the primary, the old one returns."""
    for _ in range(scene.times(4, 1)):
        primary, replica = _find_servers(scene)
        _cut_off(scene, primary, replica)
        time.sleep(LAG_S)
        scene.here.keeper.down(primary.name)
        scene.here.keeper.kill(replica.name, signal.SIGCONT)
        wait_until(partial(_is_primary, scene, replica), "the replica is the primary")
        time.sleep(scene.seconds(3, 1))
        scene.here.keeper.up(primary.name)
        wait_until(partial(_has_replica, replica), "the old primary is a replica")
        scene.ended_at = time.time_ns() // 1000
        time.sleep(scene.seconds(5, 2))


def _cut_off(scene: FaultRun, primary: EmbeddedValkey, replica: EmbeddedValkey) -> None:
    """Nothing more reaches the replica: what is written now is at the primary only."""
    scene.here.keeper.kill(replica.name, signal.SIGSTOP)
    with Redis.from_url(primary.url, socket_timeout=5) as client:
        client.execute_command("CLIENT KILL TYPE REPLICA")


def _find_servers(scene: FaultRun) -> tuple[EmbeddedValkey, EmbeddedValkey]:
    """The server that is the primary now, and the other."""
    first = scene.here.valkey
    second = replace(first, name=REPLICA, port=_read_port(first))
    return (first, second) if _get_primary(scene) == first.port else (second, first)


def _read_port(first: EmbeddedValkey) -> int:
    lines = (first.data_dir / REPLICA / "valkey.conf").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("port ")))


def _is_primary(scene: FaultRun, server: EmbeddedValkey) -> bool:
    return _get_primary(scene) == server.port


def _has_replica(server: EmbeddedValkey) -> bool:
    return count_online_replicas(server) > 0


def _get_primary(scene: FaultRun) -> int | None:
    return get_primary_port(scene.here.keeper.environment["REDIS_URL"])


FAULTS = (
    Fault("failover", fail_over, databases=ONLY_SQLITE, needs_new_installation=True, replicas=1),
    Fault(
        "failover, none waited for",
        fail_over,
        databases=ONLY_SQLITE,
        needs_new_installation=True,
        replicas=0,
        is_promised=False,
    ),
)
