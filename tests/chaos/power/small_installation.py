"""Web and worker in one process: it takes hooks, records some of them, and prints each acknowledgement."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from redis import RedisError

from pipeline.context import now_us
from pipeline.inbox import stream
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.stores import save_store
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.validate import validate_batch
from pipeline.settings import Settings
from receiver.hooks.build import build_ingest_router
from tests.builders import NOW
from tests.installation import KEY, order_hook

RECORD_EVERY = 8  # hooks


def main(redis_url: str, data: str, ledger: str, number: int) -> None:
    settings = Settings.from_environment({"REDIS_URL": redis_url, "CRATEWIRE_SECRET_KEY": KEY}, data_dir=Path(data))
    router = build_ingest_router(settings, lambda _: None)
    engine, redis = make_engine(ledger), open_redis(redis_url, socket_timeout=0.3, socket_connect_timeout=0.3)
    with writing(engine) as conn:
        save_store(conn, "acme", NOW)
    _say("ready")
    sys.stdin.readline()
    for one in range(1, number + 1):
        assert router.store([order_hook(one)]) in ("inbox", "spool")
        _say(f"{time.time()} {one}")
        router.drain()
        if one % RECORD_EVERY == 0:
            with suppress(RedisError):
                entries = stream.read(redis, RECORD_EVERY // 2, 1_000_000)
                batch = validate_batch(decode_batch(entries, now_us(), now_us), now_us)
                record(engine, batch, {entry.entry_id: (entry.raw, entry.query) for entry in entries}, now_us, [KEY])
                stream.remove(redis, [entry.entry_id for entry in entries])
    while router.get_status().spooled_hooks:
        router.drain()
    _say("done")
    sys.stdin.readline()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
