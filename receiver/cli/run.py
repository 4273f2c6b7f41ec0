"""`cratewire run`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.settings import read_environment
from receiver.cli.context import data_option, load_settings
from receiver.cli.output import report_errors
from receiver.supervisor.run import run as run_everything


@click.command(epilog="Example: cratewire run --port 8080 --data var")
@click.option("--port", type=click.IntRange(1, 65535), help="The port of web; overrides PORT.")
@data_option
@report_errors
def run(port: int | None, data: Path | None) -> None:
    """Run everything on this machine in the foreground, until Ctrl-C.

    Starts the embedded Valkey (unless REDIS_URL is set), migrates the database, and starts web and the workers; on
    Linux as forks of this process, backfill and flower when they are needed. Processes that end are restarted. Prints
    "Ready: …" with the URLs when hooks are accepted and handled.
    """
    run_everything(load_settings(data, port), read_environment())
