"""`python -m receiver.alive NAME`: exits with 0 if that process of this host does its work.

For the health checks of containers. No check fails because of another component: restarting a worker does
not bring Redis back.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping

import click
from redis.exceptions import RedisError

from pipeline.infra.private_files import set_private_umask
from pipeline.infra.redis_client import open_redis
from pipeline.settings import Settings, read_environment

PROBE_TIMEOUT_S = 10.0
Check = Callable[[Settings], bool]


def web(settings: Settings) -> bool:
    """Check that web can store hooks, in the inbox or on the spool."""
    return is_answering(settings.host, settings.port, "/readyz/hooks")


def flower(settings: Settings) -> bool:
    """Check that flower answers."""
    return is_answering(settings.flower_host, settings.flower_port, "/healthcheck")


def worker(_: Settings) -> bool:
    """It answers a ping."""
    return is_worker_answering("worker")


def backfill(_: Settings) -> bool:
    """It answers a ping."""
    return is_worker_answering("backfill")


def beat(settings: Settings) -> bool:
    """Check that this beat, or another one of the fleet, has renewed its lock in the last seconds."""
    from redbeat.schedulers import RedBeatConfig  # noqa: PLC0415  Celery takes long to import, and web's check does not need it

    from tasks.app import app  # noqa: PLC0415

    with open_redis(
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
    """Return whether the worker of that name on this host answers. True if the broker is unreachable."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415  as above

    from tasks.app import app  # noqa: PLC0415

    try:
        return bool(app.control.ping([f"{name}@{socket.gethostname()}"], timeout=PROBE_TIMEOUT_S))
    except (OSError, OperationalError, RedisError):
        return True


@click.command()
@click.argument("name", type=click.Choice(sorted(CHECKS)))
def main(name: str) -> None:
    """Exit with 0 if the process does its work, else with 1."""
    set_private_umask()
    settings = Settings.from_environment(read_environment())
    raise SystemExit(0 if CHECKS[name](settings) else 1)


if __name__ == "__main__":
    main()
