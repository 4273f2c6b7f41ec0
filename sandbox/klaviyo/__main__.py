"""Start Klaviyo's API alone: `python -m sandbox.klaviyo`."""

import secrets
from collections.abc import Mapping

import click

from sandbox.klaviyo.app import World, create_app
from sandbox.klaviyo.windows import DOCUMENTED, TIERS
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--api-key", help="Generated if not given.")
@click.option("--tier", type=click.Choice([DOCUMENTED, *TIERS]), help="Limits of every endpoint; none without.")
def main(*, port: int, api_key: str | None, tier: str | None) -> None:
    """Take calls on 127.0.0.1, until SIGTERM or SIGINT."""
    world = World(api_key or f"pk_{secrets.token_hex(17)}", tier=tier)

    def describe(url: str) -> Mapping[str, str]:
        return {"base_url": url, "api_key": world.api_key}

    serve_until_stopped(create_app(world), port, describe)


if __name__ == "__main__":
    main()
