"""The store on a loopback port: a threaded server with keep-alive."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.http_handler import Handler
from sandbox.store.app import create_app
from sandbox.store.world import Clocks, Options, World

HOST = "127.0.0.1"
CLOCKS = Clocks(wall=time.time, steady=time.monotonic)


@dataclass(frozen=True)
class RunningStore:
    """A store that listens."""

    url: str
    world: World
    server: BaseWSGIServer


def open_store(options: Options, port: int = 0) -> RunningStore:
    """Bind the port (0 for any free port); `server.serve_forever()` then serves."""
    world = World(options, CLOCKS)
    server = make_server(HOST, port, create_app(world), threaded=True, request_handler=Handler)
    return RunningStore(f"http://{HOST}:{server.server_port}", world, server)


@contextlib.contextmanager
def run_in_thread(options: Options) -> Iterator[RunningStore]:
    """A store served by a thread of this process, for tests."""
    running = open_store(options)
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        thread.join()
        running.world.stop()
        running.server.server_close()
