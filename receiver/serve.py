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

from pipeline import logs, traces
from pipeline.embedded import cannot_listen, require_run
from pipeline.errors import Misconfigured
from pipeline.private_files import keep_new_files_private
from pipeline.settings import Settings, process_environment
from receiver.app import create_app
from receiver.front import Front
from receiver.open_files import connections, raise_limit

GRANIANS_LOGS = {"loggers": {"_granian": {"propagate": True}}}  # no handler of its own: its lines look like ours
BACKLOG = 4096  # connections that wait to be accepted; the system may allow fewer (net.core.somaxconn)
HEAD_MS = 10_000  # how long a request's head may take, and how long a connection may rest between two requests
HEAD_BYTES = 65_536  # of a request's head, the query of a GET hook included


def build() -> Front:
    """The application, in the worker process that will serve it."""
    settings = Settings.from_environment(process_environment())
    tell(settings)
    app = create_app(settings)
    parts = app.extensions["cratewire"]
    parts.writer.start()
    parts.watch.pulse.start()
    parts.revoked.start()
    parts.watch.instead.start()
    traces.begin(settings.traces_url, "cratewire-web")
    # Granian's workers are multiprocessing's, which run finalizers at their end but no atexit functions.
    Finalize(None, parts.writer.stop, exitpriority=10)
    Finalize(None, parts.watch.pulse.stop, exitpriority=9)
    Finalize(None, parts.revoked.stop, exitpriority=9)
    Finalize(None, parts.watch.instead.stop, exitpriority=9)
    Finalize(None, traces.end, exitpriority=8)
    _rest_the_collector()
    return Front(parts.intake, parts.writer, app.wsgi_app)


def _rest_the_collector() -> None:
    """A hook makes a dozen short-lived objects and no circle of them: looking for circles took a seventh of its CPU."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def tell(settings: Settings) -> None:
    """Log as the settings say."""
    logs.configure(settings.log_level, settings.log_format, sys.stderr)
    logs.catch_the_uncaught()


def _require_address(host: str, port: int) -> None:
    """Say why nobody can listen there; granian's own error names neither the address nor what is wrong with it."""
    if why := cannot_listen(port, host):
        advice = "choose another with CRATEWIRE_HOST or PORT"
        raise click.ClickException(f"web cannot listen on {host}, port {port} ({why}): {advice}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; PORT by default.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
def main(host: str, port: int | None, workers: int) -> None:
    """Serve the receiver."""
    keep_new_files_private()
    try:
        settings = Settings.from_environment(process_environment(), port=port)
        if settings.embedded_redis:
            require_run(settings.data_dir)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    tell(settings)
    _require_address(host, settings.port)
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
        backpressure=connections(raise_limit()),  # connections of one worker, whatever they do
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MS, max_buffer_size=HEAD_BYTES),
        respawn_failed_workers=True,
        log_access=False,  # an access log would hold tokens
        log_dictconfig=GRANIANS_LOGS,
    ).serve()


if __name__ == "__main__":
    main()
