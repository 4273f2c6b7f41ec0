"""Start Mailchimp's API alone: `python -m sandbox.mailchimp`."""

import time

import click

from sandbox.mailchimp.app import create_app
from sandbox.mailchimp.world import World
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--data-centre", default="us6", show_default=True, help="What the key ends with.")
@click.option("--api-key", default="", help="Generated if not given.")
@click.option("--seed", default=0, show_default=True, help="Decides ids, and the order of operations in a batch.")
@click.option("--premium", is_flag=True, help="Allow 80 merge fields instead of 30.")
@click.option("--reject-fake", is_flag=True, help="Refuse example.com, as Mailchimp does.")
def main(*, port: int, data_centre: str, api_key: str, seed: int, premium: bool, reject_fake: bool) -> None:
    """Take calls on 127.0.0.1, until SIGTERM or SIGINT."""
    world = World(time.time, data_centre, api_key, seed)
    world.switches.update({"premium": premium, "reject_fake": reject_fake})

    def describe(url: str) -> dict[str, str]:
        world.url = url
        keys = {"api_key": world.api_key, "data_centre": world.data_centre}
        return {"base_url": world.base_url, **keys, "list_id": world.list_id}

    serve_until_stopped(create_app(world), port, describe)


if __name__ == "__main__":
    main()
