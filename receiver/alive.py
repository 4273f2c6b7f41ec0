"""`python -m receiver.alive NAME`: whether this host's process of that name does its work, as an exit code.

For the health checks of containers and the like. None of them fails by another's fault: a restart of a worker does
not bring Redis back.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping

import click
from redis import Redis
from redis.exceptions import RedisError

from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment

PROBE_TIMEOUT_S = 10.0
Check = Callable[[Settings], bool]


def web(settings: Settings) -> bool:
    """It can keep hooks, be it on the spool."""
    return is_answering(settings.host, settings.port, "/readyz/hooks")


def flower(settings: Settings) -> bool:
    """It answers."""
    return is_answering(settings.flower_host, settings.flower_port, "/healthcheck")


def worker(_: Settings) -> bool:
    """It answers a ping."""
    return is_worker_answering("worker")


def backfill(_: Settings) -> bool:
    """It answers a ping."""
    return is_worker_answering("backfill")


def beat(settings: Settings) -> bool:
    """It, or another beat of the fleet, has renewed its lock within the last seconds."""
    from redbeat.schedulers import RedBeatConfig  # noqa: PLC0415  Celery is large, and web's check need not load it

    from tasks.app import app  # noqa: PLC0415

    with Redis.from_url(
        settings.redis_url, socket_timeout=PROBE_TIMEOUT_S, socket_connect_timeout=PROBE_TIMEOUT_S
    ) as redis:
        try:
            return bool(redis.exists(RedBeatConfig(app).lock_key))
        except RedisError:
            return True


CHECKS: Mapping[str, Check] = {check.__name__: check for check in (web, worker, backfill, beat, flower)}


def is_answering(host: str, port: int, url_path: str, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
    """Whether a GET is answered with 200. A server that listens on all addresses is asked on loopback."""
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    connection = http.client.HTTPConnection("127.0.0.1" if everywhere else host, port, timeout=timeout_s)
    try:
        connection.request("GET", url_path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_worker_answering(name: str) -> bool:
    """Whether the worker of that name on this host answers; a broker that is away is no fault of its."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415  as above

    from tasks.app import app  # noqa: PLC0415

    try:
        return bool(app.control.ping([f"{name}@{socket.gethostname()}"], timeout=PROBE_TIMEOUT_S))
    except (OSError, OperationalError, RedisError):
        return True


@click.command()
@click.argument("name", type=click.Choice(sorted(CHECKS)))
def main(name: str) -> None:
    """End with 0 if it does."""
    set_private_umask()
    settings = Settings.from_environment(read_environment())
    raise SystemExit(0 if CHECKS[name](settings) else 1)


if __name__ == "__main__":
    main()
