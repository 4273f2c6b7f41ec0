"""Start the receiver alone: `python -m sandbox.receiver`."""

import base64
import secrets

import click

from sandbox.receiver.app import ADDRESS, Receiver, create_app
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--secret", help="whsec_ and base64; generated if not given.")
def main(*, port: int, secret: str | None) -> None:
    """Take signed web hooks on 127.0.0.1, until SIGTERM or SIGINT."""
    chosen = secret or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    serve_until_stopped(create_app(Receiver(chosen)), port, lambda url: {"address": url + ADDRESS, "secret": chosen})


if __name__ == "__main__":
    main()
