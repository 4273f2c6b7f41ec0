"""`python -m bench.backfill`: read a large store while workers are killed, and count the consequences."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from bench.backfill.measure import QUICK, measure
from bench.backfill.report import report
from bench.backfill.scenario import Scenario
from bench.machine import describe_machine


@click.command()
@click.option("--customers", default=20_000, show_default=True, help="People the store has from before.")
@click.option("--rate", default=2.0, show_default=True, help="R: requests a second the store allows; beyond that, 429.")
@click.option("--retry-after", default=3, show_default=True, help="Seconds the store names with a 429.")
@click.option("--kills", default=10, show_default=True, help="How often a worker's processes get a kill -9.")
@click.option(
    "--refusals", default=0, show_default=True, help="How often the store says 429 although the rate was kept."
)
@click.option("--samples", default=40, show_default=True, help="Live hooks before the backfill begins.")
@click.option("--postgres", help="The URL of an empty PostgreSQL database, instead of SQLite.")
@click.option("--quick", is_flag=True, help="In small, to see that it runs; its figures mean little.")
@click.option("--json", "place", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures here too.")
def main(*, quick: bool, place: Path | None, **options: Any) -> None:
    """Two backfill workers read a store of 20,000 customers, are killed in turn, while live hooks arrive."""
    script = QUICK if quick else Scenario(**options)
    print(describe_machine(), flush=True)
    found = measure(script)
    print(*report(found), sep="\n", flush=True)
    if place:
        place.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(0 if found["whole"] else 1)


if __name__ == "__main__":
    main()
