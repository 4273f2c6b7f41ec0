"""Starts the web process: granian with one worker, in which one writer thread gathers what all request threads bring.

One worker keeps one order. More of them are possible: each has its own writer and spool, and hooks of different
workers are ordered by when Redis takes them.
"""

from __future__ import annotations

import gc
import sys
from multiprocessing.util import Finalize

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from pipeline.core.errors import Misconfigured
from pipeline.infra import logging, tracing
from pipeline.infra.embedded_valkey import get_listen_error, require_active_run
from pipeline.infra.private_files import set_private_umask
from pipeline.settings import Settings, read_environment
from receiver.app import create_app
from receiver.hooks.server import HookServer
from receiver.open_files import get_max_connections, raise_file_limit

GRANIAN_LOGGING = {"loggers": {"_granian": {"propagate": True}}}  # no handler of its own: its lines look like ours
BACKLOG = 4096  # connections that wait to be accepted; the system may allow fewer (net.core.somaxconn)
HEADER_TIMEOUT_MS = (
    10_000  # how long a request's head may take, and how long a connection may rest between two requests
)
MAX_HEADER_BYTES = 65_536  # of a request's head, the query of a GET hook included


def build() -> HookServer:
    """The application, in the worker process that will serve it."""
    settings = Settings.from_environment(read_environment())
    configure_logging(settings)
    app = create_app(settings)
    parts = app.extensions["cratewire"]
    parts.writer.start()
    parts.monitoring.heartbeat.start()
    parts.revoked.start()
    parts.monitoring.fallback_sweep.start()
    tracing.start(settings.traces_url, "cratewire-web")
    # Granian's workers are multiprocessing's, which run finalizers at their end but no atexit functions.
    Finalize(None, parts.writer.stop, exitpriority=10)
    Finalize(None, parts.monitoring.heartbeat.stop, exitpriority=9)
    Finalize(None, parts.revoked.stop, exitpriority=9)
    Finalize(None, parts.monitoring.fallback_sweep.stop, exitpriority=9)
    Finalize(None, tracing.stop, exitpriority=8)
    _tune_garbage_collector()
    return HookServer(parts.rules, parts.writer, app.wsgi_app)


def _tune_garbage_collector() -> None:
    """A hook makes a dozen short-lived objects and no circle of them: looking for circles took a seventh of its CPU."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def configure_logging(settings: Settings) -> None:
    """Log as the settings say."""
    logging.configure(settings.log_level, settings.log_format, sys.stderr)
    logging.install_exception_hooks()


def _require_free_port(host: str, port: int) -> None:
    """Say why nobody can listen there; granian's own error names neither the address nor what is wrong with it."""
    if why := get_listen_error(port, host):
        advice = "choose another with CRATEWIRE_HOST or PORT"
        raise click.ClickException(f"web cannot listen on {host}, port {port} ({why}): {advice}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; PORT by default.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
def main(host: str, port: int | None, workers: int) -> None:
    """Serve the receiver."""
    set_private_umask()
    try:
        settings = Settings.from_environment(read_environment(), port=port)
        if settings.embedded_redis:
            require_active_run(settings.data_dir)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    configure_logging(settings)
    _require_free_port(host, settings.port)
    Granian(
        "receiver.serve:build",
        factory=True,
        address=host,
        port=settings.port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,  # a hook costs a quarter less CPU than on asyncio's own loop
        http=HTTPModes.http1,  # a reverse proxy speaks HTTP/2 to the world
        websockets=False,
        workers=workers,
        backlog=BACKLOG,
        backpressure=get_max_connections(raise_file_limit()),  # connections of one worker, whatever they do
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=MAX_HEADER_BYTES),
        respawn_failed_workers=True,
        log_access=False,  # an access log would hold tokens
        log_dictconfig=GRANIAN_LOGGING,
    ).serve()


if __name__ == "__main__":
    main()
