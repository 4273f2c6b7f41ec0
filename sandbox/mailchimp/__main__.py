"""Start Mailchimp's API alone: `python -m sandbox.mailchimp`."""

import secrets

import click

from sandbox.mailchimp.app import create_app
from sandbox.mailchimp.world import World
from sandbox.serving import serve_until_stopped


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--api-key", help="Generated if not given; its end, such as -us1, names the data centre.")
@click.option("--double-optin", is_flag=True, help="The audience asks each new subscriber to confirm.")
@click.option("--premium", is_flag=True, help="Allow 80 merge fields instead of 30.")
@click.option("--reject-fake", is_flag=True, help="Refuse example.com, as Mailchimp does.")
@click.option("--seed", default=0, show_default=True, help="Decides the order of operations in a batch, and ids.")
def main(*, port: int, api_key: str | None, double_optin: bool, premium: bool, reject_fake: bool, seed: int) -> None:
    """Take calls on 127.0.0.1, until SIGTERM or SIGINT."""
    api_key = api_key or f"{secrets.token_hex(16)}-us1"
    world = World(api_key, double_optin=double_optin, seed=seed)
    world.switches.update({"premium": premium, "reject_fake": reject_fake})
    app = create_app(world)

    def describe(url: str) -> dict[str, str]:
        return {"base_url": f"{url}/3.0", "api_key": api_key, "audience": world.audience.id}

    serve_until_stopped(app, port, describe)


if __name__ == "__main__":
    main()
