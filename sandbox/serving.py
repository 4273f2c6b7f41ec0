"""Serves a small sandbox on loopback: as a process of its own until a signal, or in a thread of a test."""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from flask import Flask
from werkzeug.serving import make_server

from sandbox.http_handler import Handler

HOST = "127.0.0.1"
POLL_INTERVAL_S = 0.05  # how long stopping takes: each test of a platform stops a server


def serve_until_stopped(app: Flask, port: int, describe: Callable[[str], Mapping[str, str]]) -> None:
    """Serve until SIGTERM or SIGINT. First, print as JSON what `describe` says about this URL."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with serving(app, port) as url:
        click.echo(json.dumps({"url": url, **describe(url)}))
        stop.wait()


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve in a thread inside the block, and yield the URL; port 0 is any free one."""
    server = make_server(HOST, port, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_INTERVAL_S,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
