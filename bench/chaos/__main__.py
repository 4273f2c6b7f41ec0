"""`python -m bench.chaos`: lets every fault strike a whole installation, and prints what it cost."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from bench.chaos import databases, table
from bench.chaos.count import Row
from bench.chaos.faults import FAULTS
from bench.chaos.installation import installation
from bench.chaos.scene import Fault, play

DATABASES = ("sqlite", "postgresql")


@click.command()
@click.option("--only", multiple=True, metavar="TEXT", help="Only faults whose name contains this.")
@click.option("--database", type=click.Choice(DATABASES), help="Only with this one.")
@click.option("--short", is_flag=True, help="Fewer and shorter blows.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--keep", is_flag=True, help="Keep data and logs, and say where.")
def main(only: Sequence[str], database: str | None, short: bool, seed: int, as_json: bool, keep: bool) -> None:  # noqa: FBT001 options of a command
    """Exit with 0 only if nothing was lost, doubled or out of order."""
    faults = [fault for fault in FAULTS if not only or any(text in fault.name for text in only)]
    rows = []
    if not as_json:
        print(table.head(), flush=True)
    for row in _rows(faults, [database] if database else _here(), short=short, seed=seed, keep=keep):
        rows.append(row)
        if not as_json:
            print(table.line(row), flush=True)
    if as_json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    sys.exit(0 if rows and all(row.holds for row in rows) else 1)


def _here() -> list[str]:
    if databases.installed():
        return list(DATABASES)
    print("PostgreSQL is not installed: SQLite only", file=sys.stderr)
    return ["sqlite"]


def _rows(faults: Sequence[Fault], names: Sequence[str], *, short: bool, seed: int, keep: bool) -> Iterator[Row]:
    for database in names:
        left = [fault for fault in faults if database in fault.databases]
        while left:
            folder = Path(tempfile.mkdtemp(prefix="cratewire-chaos-"))
            with installation(folder, database) as here:
                while left:
                    row = play(here, left.pop(0), database, short=short, seed=seed)
                    yield row
                    if not row.holds:  # what a broken fault left behind must not spoil the next
                        break
            if keep:
                print(f"\ndata and logs: {folder}", file=sys.stderr)
            else:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
