"""Start a store alone: `python -m sandbox.store`; prints a JSON line when it listens."""

import argparse
import json
import signal
import threading
from collections.abc import Sequence

from sandbox.store.server import open_store
from sandbox.store.world import Options


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.store", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", default=Options.start, help="the simulated time at which the store begins")
    parser.add_argument("--client-id", default="sandbox-client")
    parser.add_argument("--client-secret", default="sandbox-secret")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    store = open_store(Options(given.client_id, given.client_secret, given.seed, given.start), given.port)
    thread = threading.Thread(target=store.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    thread.start()
    said = {"url": store.url, "client_id": given.client_id, "client_secret": given.client_secret}
    print(json.dumps(said), flush=True)
    stopped.wait()
    store.server.shutdown()
    store.world.stop()
    store.server.server_close()


if __name__ == "__main__":
    main()
