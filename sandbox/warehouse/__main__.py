"""Start the warehouse alone: `python -m sandbox.warehouse`."""

import json
import signal
import threading
from dataclasses import asdict

import click

from sandbox.warehouse.server import open_warehouse
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.world import Keys


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--api-user", default=Keys.api_user, show_default=True, help="CartRover's API user.")
@click.option("--api-key", default=Keys.api_key, show_default=True, help="CartRover's API key.")
@click.option("--auto-ship-s", type=float, help="Pick, pack and ship every order within so many seconds.")
def main(*, port: int, api_user: str, api_key: str, auto_ship_s: float | None) -> None:
    """Run a warehouse that exists only on 127.0.0.1, until SIGTERM or SIGINT."""
    keys = Keys(api_user, api_key)
    warehouse = open_warehouse(keys, Switches(auto_ship_s=auto_ship_s), port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=warehouse.serve, daemon=True).start()
    click.echo(json.dumps({"url": warehouse.url, **asdict(keys)}))
    stop.wait()
    warehouse.stop()


if __name__ == "__main__":
    main()
