"""`cratewire reseal`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.ledger.engine import writing
from pipeline.operations.reencrypt import reencrypt_all
from receiver.cli.context import data_option, open_context
from receiver.cli.output import json_option, report_errors, show
from receiver.pages.auth.keys import reencrypt_second_factors


@click.command(epilog="Example: CRATEWIRE_SECRET_KEY=new-key,old-key cratewire reseal")
@data_option
@json_option
@report_errors
def reseal(data: Path | None, as_json: bool) -> None:
    """Encrypt every saved key again with the first key of CRATEWIRE_SECRET_KEY, for the row that it belongs to.

    A key that was put into another row stops the command, and nothing is changed.

    To change the secret key: put the new key before the old one, restart everything, run this command, run `cratewire
    hooks sync` to register hook URLs signed with the new key, and only then remove the old one.
    """
    with open_context(data) as context, writing(context.engine) as conn:
        counts = reencrypt_all(conn, context.settings.secret_keys) | reencrypt_second_factors(
            conn, context.settings.secret_keys
        )
    summary = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    show(counts, as_json=as_json, render=lambda console: console.print(f"Encrypted again: {summary}."))
