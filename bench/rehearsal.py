"""`python -m bench.rehearsal`: how long a rehearsal of many hooks takes, in what memory, and whether it names all.

A ledger gets hooks as a worker records them. Then they are rehearsed against a copy of the source with five changes,
and the differences are compared with what the ledger says they must be. The same is done with a tenth of the hooks,
for the memory.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
from sqlalchemy import Connection, Engine, func, select

import pipeline
import schemas
from bench.hooks import make_hooks
from bench.in_process import _SETTINGS, STORE, build_entry, create_connected_store
from pipeline.context import build_context, now_us
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema import core
from pipeline.ledger.stores import list_stores
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from pipeline.rehearsal.change import NO_CHANGE
from pipeline.rehearsal.run import DAY_US, Rehearsal, rehearse
from pipeline.rehearsal.side_process import find_version

BATCH = 200
# file, text, what it becomes: each change meets messages that no other one meets
SEEDS = (
    ("fan_out/attributes.py", '"source": "cratejoy",', '"source": "cratejoy", "is_rehearsed": True,'),
    (
        "fan_out/payloads.py",
        '{"currency": currency}',
        '{"currency": currency} | ({"n": 1} if row.name == "order_new" else {})',
    ),
    ("fan_out/payloads.py", '{"is_gift": True, "gift": card', '{"gift": card'),
    ("events/catalogue.py", 'at="transaction",\n', 'at="transaction",\n        forwarded=False,\n'),
    (
        "destinations/customerio/preview.py",
        "/api/v2/batch",
        "/api/v2/batch{'?' if message.name == 'subscription_renewed' else ''}",
    ),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rehearsal. `peaks`: MB of this process, and of the larger of the two runs."""

    hooks: int
    seconds: float
    peaks: tuple[float, float]
    differences: Mapping[tuple[str, ...], int]
    expected: Mapping[tuple[str, ...], int]


@click.command()
@click.option("--hooks", default=100_000, show_default=True, help="Hooks in the ledger.")
def main(hooks: int) -> None:
    """Rehearse a tenth of the hooks, then all, and print a table. Exit with 1 if it names too little or too much."""
    is_exact = True
    print(
        "| hooks | seconds | hooks a second | this process | a run | differences | of five changes, and nothing else |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in (hooks // 10, hooks):
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder), count)
        same = found.differences == found.expected
        is_exact &= same
        print(
            f"| {found.hooks:,} | {found.seconds:.0f} | {found.hooks / found.seconds:.0f} | {found.peaks[0]:.0f} MB "
            f"| {found.peaks[1]:.0f} MB | {sum(found.differences.values()):,} | {'all' if same else 'NO'} |",
            flush=True,
        )
        if not same:
            print(f"found {dict(found.differences)}\nexpected {dict(found.expected)}", file=sys.stderr)
    sys.exit(not is_exact)


def measure(folder: Path, count: int) -> Figures:
    """Fill a ledger, and rehearse its hooks against a changed version."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate(url)
    engine = make_engine(url)
    settings = replace(_SETTINGS, data_dir=folder)
    create_connected_store(engine)
    fill(engine, count)
    context = build_context(settings, engine, open_redis("redis://127.0.0.1:1"))
    with reading(engine) as conn:
        store = list_stores(conn)[0]
        expected = expect(conn)
    rehearsal = Rehearsal(store, now_us() - 30 * DAY_US, NO_CHANGE, find_version(copy_changed(folder / "other")))
    began = time.monotonic()
    with rehearse(context, rehearsal) as (report, _):
        seconds = time.monotonic() - began
    peaks = [resource.getrusage(who).ru_maxrss / 1_000 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found: Counter[tuple[str, ...]] = Counter()
    for group in report.groups:
        found[group.change, group.kind, *group.fields] += group.count
    engine.dispose()
    return Figures(report.hooks, seconds, (peaks[0], peaks[1]), found, expected)


def fill(engine: Engine, count: int) -> None:
    """Record hooks as a worker does, with the same code."""
    for first in range(0, count, BATCH):
        hooks = make_hooks(min(BATCH, count - first), seed=first, first=first)
        entries = [build_entry(number, STORE, hook) for number, hook in enumerate(hooks)]
        batch = validate_batch(decode_batch(entries, 1, now_us), now_us)
        record(engine, batch, {entry.entry_id: (entry.raw, None) for entry in entries}, now_us)


def expect(conn: Connection) -> Counter[tuple[str, ...]]:
    """What the five changes lead to, by what the ledger has."""
    delivery, concerned = core.Delivery, core.EventPerson
    by_kind = select(delivery.kind, func.count().label("number")).group_by(delivery.kind)
    kinds = {row.kind: row.number for row in conn.execute(by_kind)}
    is_copy = (
        select(concerned.event_id)
        .where(concerned.event_id == delivery.event_id, concerned.person_id == delivery.person_id)
        .where(concerned.role == "gift_recipient")
        .exists()
    )
    by_name = select(delivery.name, is_copy.label("is_copy"), func.count()).where(delivery.kind == "event")
    own: Counter[str] = Counter()
    copies = 0
    for name, copy, number in conn.execute(by_name.group_by(delivery.name, "is_copy")):
        copies += number if copy else 0
        own[str(name)] += 0 if copy else number
    return Counter(
        {
            ("changed", "profile", "data.is_rehearsed"): kinds["profile"],
            ("changed", "event", "data.n"): own["order_new"],
            ("changed", "event", "data.is_gift"): copies,
            ("changed", "hook", "forwarded -> recorded"): own["transaction_new"],
            ("gone", "event"): own["transaction_new"],
            ("changed", "event", "request.url"): own["subscription_renewed"],
        }
    )


def copy_changed(folder: Path) -> Path:
    """Copy the source that a rehearsal runs, with the five changes. Raises ValueError if one has no place."""
    for package in (pipeline, schemas):
        source = Path(package.__path__[0])
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text, becomes in SEEDS:
        file = folder / "pipeline" / name
        before = file.read_text("utf-8")
        if before.count(text) != 1:
            raise ValueError(f"{name} has no single {text}")
        file.write_text(before.replace(text, becomes), "utf-8")
    return folder


if __name__ == "__main__":
    main()
