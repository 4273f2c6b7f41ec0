"""A replica of the inbox's Valkey and three Sentinels, on loopback."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from bench.chaos.supervisor import SupervisedProcess, Supervisor
from pipeline.infra.embedded_valkey import EmbeddedValkey, build_command, find_free_port
from pipeline.infra.redis_client import open_sentinels, parse_sentinel_url
from pipeline.infra.secret_files import replace_file

REPLICA = "valkey2"
PRIMARY = "chaos"  # as the Sentinels name it
SENTINELS = 3
DOWN_AFTER_MS = 1_000
FAILOVER_TIMEOUT_MS = 6_000
START_TIMEOUT_S = 60.0


def start_replica(keeper: Supervisor, primary: EmbeddedValkey, awaited: int) -> None:
    """Let the primary have a replica and Sentinels, and the processes that are started from now on use them.

    The primary knows its replica's password only after a restart, which the caller has not done any work before.
    """
    replica = replace(primary, name=REPLICA, port=find_free_port())
    commands = {server.name: build_command(server) for server in (primary, replica)}
    _add_to_config(primary, "")
    _add_to_config(replica, f"\nreplicaof 127.0.0.1 {primary.port}")
    keeper.kill(primary.name)
    keeper.keep(SupervisedProcess(REPLICA, commands[REPLICA]))
    _await_replica(primary)
    ports = [find_free_port() for _ in range(SENTINELS)]
    for number, port in enumerate(ports, 1):
        command = [commands[REPLICA][0], str(_write_sentinel(keeper.folder, port, primary)), "--sentinel"]
        keeper.keep(SupervisedProcess(f"sentinel{number}", command))
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    url = f"redis+sentinel://:{primary.password}@{hosts}/{PRIMARY}/0"
    _await_sentinels(url)
    keeper.environment |= {"REDIS_URL": url, "CRATEWIRE_BROKER_URL": url, "CRATEWIRE_REPLICAS": str(awaited)}


def get_primary_port(url: str) -> int | None:
    """Return the port of the server that takes writes, as most Sentinels say; None while they disagree."""
    named = []
    for sentinel in open_sentinels(parse_sentinel_url(url), socket_timeout=2, socket_connect_timeout=2).sentinels:
        try:
            address: Any = sentinel.sentinel_get_master_addr_by_name(PRIMARY)
            named.append(int(address[1]))
        except (RedisError, TypeError):
            continue
        finally:
            sentinel.close()
    return next((port for port in set(named) if 2 * named.count(port) > SENTINELS), None)


def count_online_replicas(server: EmbeddedValkey) -> int:
    """Return how many replicas receive what this server writes; 0 if it does not answer."""
    client = Redis.from_url(server.url, socket_timeout=2, socket_connect_timeout=2)
    try:
        facts: Any = client.info("replication")
    except RedisError:
        return 0
    finally:
        client.close()
    rows = [facts.get(f"slave{number}", {}) for number in range(int(facts.get("connected_slaves", 0)))]
    return sum(row.get("state") == "online" for row in rows)


def _add_to_config(server: EmbeddedValkey, more: str) -> None:
    """Both have the same password, so that either can be the other's replica."""
    path = server.directory / "valkey.conf"
    settings = f"\nmasterauth {json.dumps(server.password)}\nrepl-diskless-sync-delay 0{more}\n"
    replace_file(path, path.read_text() + settings)


def _write_sentinel(folder: Path, port: int, primary: EmbeddedValkey) -> Path:
    path = folder / f"sentinel-{port}.conf"
    path.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {json.dumps(str(folder))}\n"
        f"sentinel monitor {PRIMARY} 127.0.0.1 {primary.port} {SENTINELS // 2 + 1}\n"
        f"sentinel auth-pass {PRIMARY} {primary.password}\n"
        f"sentinel down-after-milliseconds {PRIMARY} {DOWN_AFTER_MS}\n"
        f"sentinel failover-timeout {PRIMARY} {FAILOVER_TIMEOUT_MS}\n"
    )
    return path


def _await_replica(primary: EmbeddedValkey) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not count_online_replicas(primary):
        if time.monotonic() > deadline:
            raise TimeoutError("the replica does not follow its primary")
        time.sleep(0.1)


def _await_sentinels(url: str) -> None:
    """Return when each Sentinel knows the replica and the other Sentinels."""
    deadline = time.monotonic() + START_TIMEOUT_S
    for sentinel in open_sentinels(parse_sentinel_url(url), socket_timeout=2, socket_connect_timeout=2).sentinels:
        while not _knows_all(sentinel):
            if time.monotonic() > deadline:
                raise TimeoutError("the Sentinels do not know each other")
            time.sleep(0.1)
        sentinel.close()


def _knows_all(sentinel: Redis) -> bool:
    try:
        state: Any = sentinel.sentinel_master(PRIMARY)
    except RedisError:
        return False
    return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == SENTINELS - 1)
