"""`python -m bench.chaos`: lets every fault strike a whole installation, and prints what it cost."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click

from bench.chaos import databases, table
from bench.chaos.accounting import Row
from bench.chaos.boxes.worker import WRONG_RELEASES
from bench.chaos.disk import enter_namespace
from bench.chaos.faults import FAULTS, boxes
from bench.chaos.installation import SETTINGS
from bench.chaos.run import ChaosRun

DATABASES = ("sqlite", "postgresql")
INSIDE = "--inside"


@click.command()
@click.option("--only", multiple=True, metavar="TEXT", help="Only faults whose name contains this.")
@click.option("--database", type=click.Choice(DATABASES), help="Only with this one.")
@click.option("--short", is_flag=True, help="Fewer and shorter blows.")
@click.option(
    "--wrong",
    type=click.Choice(list(WRONG_RELEASES)),
    help="Boxes only, with workers that are wrong on purpose: no row may hold.",
)
@click.option("--partitions", type=click.IntRange(1, 64), help="Of the inbox; else as many as it begins with.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--keep", is_flag=True, help="Keep data and logs, and say where.")
@click.option(INSIDE, is_flag=True, hidden=True, help="This is a mount namespace of our own.")
def main(
    only: Sequence[str],
    database: str | None,
    partitions: int | None,
    seed: int,
    wrong: str | None,
    **flags: bool,
) -> None:
    """Exit with 0 only if something struck and nothing was lost, doubled or out of order."""
    if not flags["inside"]:
        enter_namespace(sys.argv[1:], INSIDE)
    if partitions:
        SETTINGS["CRATEWIRE_PARTITIONS"] = str(partitions)
    faults = [fault for fault in FAULTS if not only or any(text in fault.name for text in only)]
    if wrong:
        faults = [fault for fault in faults if fault in boxes.FAULTS]
    run = ChaosRun(flags["short"], seed, flags["keep"], flags["inside"], wrong or "")
    rows = _show_rows(run.rows(faults, [database] if database else _installed_databases()), as_json=flags["as_json"])
    sys.exit(0 if any(row.holds for row in rows) and not any(row.fails for row in rows) else 1)


def _installed_databases() -> list[str]:
    if databases.is_postgres_installed():
        return list(DATABASES)
    print("PostgreSQL is not installed: SQLite only", file=sys.stderr)
    return ["sqlite"]


def _show_rows(rows: Iterable[Row], *, as_json: bool) -> list[Row]:
    """Print each row as soon as it is known; with JSON on stdout, the table goes to stderr."""
    beside = sys.stderr if as_json else sys.stdout
    print(table.head(), file=beside, flush=True)
    found = []
    for row in rows:
        found.append(row)
        print(table.line(row), file=beside, flush=True)
    if as_json:
        print(json.dumps([row.as_json() for row in found], indent=2))
    return found


if __name__ == "__main__":
    main()
