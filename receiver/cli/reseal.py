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
    """Encrypt every saved key anew with the first of CRATEWIRE_SECRET_KEY.

    To change the secret key: put the new one in front of the old one, restart everything, run this, let `cratewire
    hooks sync` give Cratejoy hook URLs signed with the new one, and only then take the old one away.
    """
    with open_context(data) as here, writing(here.engine) as db:
        done = reencrypt_all(db, here.settings.secret_keys) | reencrypt_second_factors(db, here.settings.secret_keys)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items())
    show(done, as_json=as_json, human=lambda console: console.print(f"Encrypted anew: {told}."))
