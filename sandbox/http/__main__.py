"""Start the API alone: `python -m sandbox.http --shape example`."""

import secrets

import click

from sandbox.http.app import API, create_app
from sandbox.http.shape import Shape
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option(
    "--shape", default="example", show_default=True, help="A file of sandbox/http/shapes, without its ending."
)
@click.option("--key", help="The key that callers must have; generated if not given.")
def main(*, port: int, shape: str, key: str | None) -> None:
    """Play an HTTP API of this shape on 127.0.0.1, until SIGTERM or SIGINT."""
    api = API(Shape.load(shape), key or secrets.token_hex(16))
    said = {"api_key": api.key, "account": api.account, "document": api.shape.document}
    serve_until_stopped(create_app(api), port, lambda url: {**said, "hook_url": url})


if __name__ == "__main__":
    main()
