"""Start Segment's HTTP API alone: `python -m sandbox.segment`."""

import json
import secrets
import signal
import threading

import click
from werkzeug.serving import make_server

from sandbox.http_handler import Handler
from sandbox.segment.app import World, create_app

HOST = "127.0.0.1"


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--write-key", help="Generated if not given.")
@click.option("--refuses-keys", is_flag=True, help="Answer a wrong write key with 401, as RudderStack does.")
def main(*, port: int, write_key: str | None, refuses_keys: bool) -> None:
    """Take calls on 127.0.0.1, until SIGTERM or SIGINT."""
    world = World(write_key or secrets.token_hex(16), refuses_keys=refuses_keys)
    server = make_server(HOST, port, create_app(world), threaded=True, request_handler=Handler)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://{HOST}:{server.server_port}"
    click.echo(json.dumps({"url": base, "base_url": f"{base}/v1", "write_key": world.write_key}))
    stop.wait()
    server.shutdown()


if __name__ == "__main__":
    main()
