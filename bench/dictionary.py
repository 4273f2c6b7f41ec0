"""`python -m bench.dictionary 32770`: makes a dictionary of what recorded hooks have in common, from the fixtures.

The fixtures' people are invented, so it holds no personal data. To use it, name it in `pipeline/infra/compression.py`;
those of before stay. Its id: from 32,769 on, below which zstd keeps ids for itself.
"""

from __future__ import annotations

import json
import logging
import tempfile
from itertools import count
from pathlib import Path

import click
import structlog
from sqlalchemy import select

from bench.hooks import Hook
from bench.in_process import STORE, build_entry, create_connected_store
from pipeline.infra.compression import DICTIONARIES, decompress
from pipeline.infra.zstd import ZstdDict, finalize_dict
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.core import Body, Delivery, Event
from pipeline.ledger.sql import json_type
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "hooks"
MAX_BYTES = 65_536
_LEVEL = 3
_ID_PLACE = slice(4, 8)  # after the magic number


@click.command()
@click.argument("number", type=int)
def main(number: int) -> None:
    """Write the dictionary of this id."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    samples = _make_samples()
    text = b"".join(samples)[-MAX_BYTES:]
    made = finalize_dict(ZstdDict(text, is_raw=True), samples, MAX_BYTES, _LEVEL).dict_content
    path = DICTIONARIES / f"{number}.zdict"
    path.write_bytes(made[: _ID_PLACE.start] + number.to_bytes(4, "little") + made[_ID_PLACE.stop :])
    print(f"{path}: {len(made)} bytes of {len(samples)} samples")


def _make_samples() -> list[bytes]:
    """Bodies, data of events and messages, as the ledger has them."""
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        migrate(url := f"sqlite:///{home}/cratewire.db")
        engine = make_engine(url)
        create_connected_store(engine)
        entries = [build_entry(number, STORE, hook) for number, hook in zip(count(), _read_fixtures(), strict=False)]
        clock = count(entries[-1].received_at).__next__
        valid = validate_batch(decode_batch(entries, clock(), clock), clock)
        record(engine, valid, {entry.entry_id: (entry.raw, None) for entry in entries}, clock)
        with reading(engine) as db:
            bodies = [decompress(raw) for raw in db.execute(select(Body.raw).order_by(Body.event_id)).scalars()]
            values = [
                *db.execute(select(Event.data).order_by(Event.id)).scalars(),
                *db.execute(select(Delivery.message).order_by(Delivery.id)).scalars(),
            ]
        engine.dispose()
    return [*bodies, *(json_type.dumps(value).encode() for value in values)]


def _read_fixtures() -> list[Hook]:
    """The fixtures as the store sends them: JSON in a JSON string."""
    bodies = {path: json.loads(path.read_text()) for path in sorted(FIXTURES.glob("*.json"))}
    return [
        Hook(path.name.partition("__")[0], json.dumps(json.dumps(body, sort_keys=True)).encode(), 1)
        for path, body in bodies.items()
    ]


if __name__ == "__main__":
    main()
