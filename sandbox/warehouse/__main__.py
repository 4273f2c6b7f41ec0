"""Start the warehouse alone: `python -m sandbox.warehouse`."""

import json
import signal
import threading
from dataclasses import asdict, fields
from typing import Any

import click

from sandbox.warehouse.server import open_warehouse
from sandbox.warehouse.switches import Switches
from sandbox.warehouse.world import Keys

KEY_OPTIONS: list[click.Parameter] = [
    click.Option([f"--{key.name.replace('_', '-')}"], default=key.default, show_default=True) for key in fields(Keys)
]


@click.command(params=KEY_OPTIONS)
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--auto-ship-s", type=float, help="Pick, pack and ship every order within so many seconds.")
def main(*, port: int, auto_ship_s: float | None, **keys: Any) -> None:
    """Run a warehouse that exists only on 127.0.0.1, until SIGTERM or SIGINT."""
    warehouse = open_warehouse(Keys(**keys), Switches(auto_ship_s=auto_ship_s), port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=warehouse.serve, daemon=True).start()
    click.echo(json.dumps({"url": warehouse.url, **asdict(Keys(**keys))}))
    stop.wait()
    warehouse.stop()


if __name__ == "__main__":
    main()
