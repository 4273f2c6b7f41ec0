"""Start the receiver alone: `python -m sandbox.receiver`."""

import base64
import json
import secrets
import signal
import threading

import click
from werkzeug.serving import make_server

from sandbox.http_handler import Handler
from sandbox.receiver.app import ADDRESS, Receiver, create_app

HOST = "127.0.0.1"


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--secret", help="whsec_ and base64; generated if not given.")
def main(*, port: int, secret: str | None) -> None:
    """Take signed web hooks on 127.0.0.1, until SIGTERM or SIGINT."""
    chosen = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    server = make_server(HOST, port, create_app(Receiver(chosen)), threaded=True, request_handler=Handler)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://{HOST}:{server.server_port}"
    click.echo(json.dumps({"url": base, "address": base + ADDRESS, "secret": chosen}))
    stop.wait()
    server.shutdown()


if __name__ == "__main__":
    main()
