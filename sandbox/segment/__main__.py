"""Start Segment's HTTP API alone: `python -m sandbox.segment`."""

import secrets

import click

from sandbox.segment.app import World, create_app
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--write-key", help="Generated if not given.")
@click.option("--refuses-keys", is_flag=True, help="Answer a wrong write key with 401, as RudderStack does.")
def main(*, port: int, write_key: str | None, refuses_keys: bool) -> None:
    """Take calls on 127.0.0.1, until SIGTERM or SIGINT."""
    world = World(write_key or secrets.token_hex(16), refuses_keys=refuses_keys)
    serve_until_stopped(create_app(world), port, lambda url: {"base_url": f"{url}/v1", "write_key": world.write_key})


if __name__ == "__main__":
    main()
