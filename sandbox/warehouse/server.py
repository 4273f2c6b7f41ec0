"""The warehouse on a loopback port, with a thread that does what is due."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.http_handler import Handler
from sandbox.warehouse.app import create_app
from sandbox.warehouse.posting import flush, post_to_loopback
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.world import Keys, World

HOST = "127.0.0.1"
TICK_S = 0.2
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class RunningWarehouse:
    """A warehouse that listens."""

    url: str
    world: World
    server: BaseWSGIServer
    stopping: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Serve until `stop`; another thread does what is due."""
        threading.Thread(target=self._tick, daemon=True).start()
        self.server.serve_forever(poll_interval=POLL_S)

    def stop(self) -> None:
        """Stop listening."""
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def _tick(self) -> None:
        while not self.stopping.wait(TICK_S):
            self.world.tick()
            flush(self.world)


def open_warehouse(
    keys: Keys, switches: Switches | None = None, port: int = 0, clock: Callable[[], float] = time.time
) -> RunningWarehouse:
    """Bind the port (0 for any free port); `serve` then serves. The clock gives seconds since the epoch."""
    world = World(keys, clock, post_to_loopback, switches)
    server = make_server(HOST, port, create_app(world), threaded=True, request_handler=Handler)
    return RunningWarehouse(f"http://{HOST}:{server.server_port}", world, server)


@contextlib.contextmanager
def run_in_thread(
    keys: Keys, switches: Switches | None = None, clock: Callable[[], float] = time.time
) -> Iterator[RunningWarehouse]:
    """A warehouse served by a thread of this process, for tests."""
    running = open_warehouse(keys, switches, clock=clock)
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()
