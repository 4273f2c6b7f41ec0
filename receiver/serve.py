"""Starts the web process: granian with one worker, in which one writer thread stores the hooks of all requests.

One worker preserves the order. More are possible: each has its own writer and spool, and hooks of different
workers are ordered by their arrival in Redis.
"""

from __future__ import annotations

import asyncio
import gc
import logging as standard_logging
import signal
import sys
from collections.abc import Collection, Mapping
from functools import partial
from multiprocessing.util import Finalize
from typing import Any

import click
import uvloop
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.embed import Server

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.infra import logging, tracing
from pipeline.infra.embedded_valkey import get_listen_error, require_active_run
from pipeline.infra.private_files import set_private_umask
from pipeline.ledger.engine import reading
from pipeline.settings import Settings, read_environment
from receiver.app import create_app
from receiver.hooks.server import HookServer
from receiver.open_files import get_max_connections, raise_file_limit

GRANIAN_LOGGING = {"loggers": {"_granian": {"propagate": True}}}  # no handler of its own: our format
BACKLOG = 4096  # connections waiting to be accepted; the system may allow fewer (net.core.somaxconn)
HEADER_TIMEOUT_MS = 10_000  # for the headers of a request, and between two requests of a connection
SWITCH_INTERVAL_S = 0.0005  # a hook that comes while a page is built waits so long at each of its steps, not 5 ms
MAX_HEADER_BYTES = 65_536  # of a request's head, the query of a GET hook included


def build() -> HookServer:
    """Build the application, in the worker process that serves it."""
    settings = Settings.from_environment(read_environment())
    configure_logging(settings)
    app = create_app(settings)
    components = app.extensions["cratewire"]
    components.writer.start()
    components.monitoring.heartbeat.start()
    components.revoked.start()
    components.monitoring.fallback_sweep.start()
    tracing.start(settings.traces_url, "cratewire-web")
    # Granian's workers are multiprocessing processes, which run finalizers when they end but no atexit functions.
    Finalize(None, components.writer.stop, exitpriority=10)
    Finalize(None, components.monitoring.heartbeat.stop, exitpriority=9)
    Finalize(None, components.revoked.stop, exitpriority=9)
    Finalize(None, components.monitoring.fallback_sweep.stop, exitpriority=9)
    Finalize(None, tracing.stop, exitpriority=8)
    _tune_garbage_collector()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    context = components.pages_context
    load_tokens = partial(_load_change_tokens, context) if context else None
    return HookServer(components.rules, components.writer, app.wsgi_app, load_change_tokens=load_tokens)


def _load_change_tokens(context: Context, store_ids: Collection[int]) -> dict[int, str]:
    """Look at the stores of the pages' readers; imported at the first look, since a start needs no queries."""
    from pipeline.ledger.queries import load_change_tokens  # noqa: PLC0415

    with reading(context.engine) as conn:
        return load_change_tokens(conn, store_ids)


def _tune_garbage_collector() -> None:
    """Collect rarely: a hook creates no reference cycles, and searching for them took a seventh of its CPU."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def configure_logging(settings: Settings) -> None:
    """Log as the settings say."""
    logging.configure(settings.log_level, settings.log_format, sys.stderr)
    logging.install_exception_hooks()


def _require_free_port(host: str, port: int) -> None:
    """Raise a clear error if the port is taken; granian's own error names neither the address nor the cause."""
    if why := get_listen_error(port, host):
        advice = "choose another with CRATEWIRE_HOST or PORT"
        raise click.ClickException(f"web cannot listen on {host}, port {port} ({why}): {advice}")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; PORT by default.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
@click.option("--one-process", is_flag=True, help="Serve in this process; what started it starts it again.")
def main(host: str, port: int | None, workers: int, *, one_process: bool) -> None:
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
    options: dict[str, Any] = {
        "factory": True,
        "address": host,
        "port": settings.port,
        "interface": Interfaces.RSGI,
        "http": HTTPModes.http1,  # a reverse proxy offers HTTP/2 to clients
        "websockets": False,
        "backlog": BACKLOG,
        "backpressure": get_max_connections(raise_file_limit()),  # connections of one worker, including idle ones
        "http1_settings": HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=MAX_HEADER_BYTES),
        "log_access": False,  # an access log would contain tokens
        "log_dictconfig": GRANIAN_LOGGING,
    }
    if one_process:
        _serve_in_this_process(options)
    else:
        # A hook costs a quarter less CPU than on asyncio's default loop.
        Granian(
            "receiver.serve:build", loop=Loops.uvloop, workers=workers, respawn_failed_workers=True, **options
        ).serve()


def _serve_in_this_process(options: Mapping[str, Any]) -> None:
    """Serve without granian's main process, which would only watch its worker: memory for one process less.

    Ends with an error if granian's worker ends by itself.
    """
    standard_logging.getLogger("_granian").addFilter(_is_no_remark)
    server = Server(build, **options)

    async def serve() -> None:
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, server.stop)
        await server.serve()

    uvloop.run(serve())
    if server.interrupt_children:
        raise click.ClickException("web's worker ended unexpectedly")


def _is_no_remark(record: standard_logging.LogRecord) -> bool:
    """Drop granian's remark, at each start, that this way to run it is new."""
    return "experimental" not in record.getMessage()


if __name__ == "__main__":
    main()
