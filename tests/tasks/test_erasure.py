"""After an erasure no file, no key of Redis and no platform has the person, and a replay does not bring them back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from pipeline.inbox.entry import RawHook
from pipeline.inbox.spool.queue import Spool
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.regulations import Regulation, RegulationDestination
from pipeline.ledger.vacuum import vacuum_all
from pipeline.operations.replay import replay_internal_errors
from receiver.cli import main
from tasks import deliveries
from tasks.chain import start_chain
from tests.builders import BUYER, RECIPIENT, customer, gift_order, order, shipment
from tests.installation import make_hook
from tests.tasks.inline_worker import run_all

COMPRESSED = (("bodies", "raw"), ("dead_hooks", "raw"), ("events", "packed"), ("deliveries", "packed"))
PERSON = (b"bea.buyer", b"bea buyer", b"beatrix-name")
FORMS = (
    lambda body: json.dumps(body).encode(),
    lambda body: json.dumps(body).replace("@", "\\u0040").encode(),
    lambda body: json.dumps(json.dumps(body)).encode(),
    lambda body: repr(body).encode(),
)


def hook(body, form=0, **changes):
    return make_hook(FORMS[form](body), **changes)


def bea(**more):
    return customer(first_name="Beatrix-Name", **more)


@pytest.fixture
def sold(installed, track):
    """A person's hooks in every form, in the ledger and at the platform; more of them in the inbox and the spool."""
    installed.connect(track.config)
    hooks = [
        hook(bea(), event="customer_new"),
        hook(gift_order(customer=bea()), 1),
        hook(shipment(customer=bea()), 2, event="shipment_shipped"),
        hook(order(id=2, customer=bea(), is_test=True), 3),
        make_hook(b'{"email": "bea.buyer@example.com", "x'),
    ]
    work(installed, *hooks)
    run_all("deliveries")
    return hooks


def work(installed, *hooks):
    installed.receive(*hooks)
    start_chain()
    run_all("hooks")


def run(*typed):
    result = CliRunner().invoke(main, typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def erase():
    return run(
        "people", "erase", BUYER["email"], "--store", "acme", "--suppress", "--at-destinations", "--yes", "--json"
    )


def deliver(installed):
    """Send what is due, and let the periodic sweep clean the ledger's files."""
    deliveries.sweep()
    run_all("deliveries")
    vacuum_all(installed.process.engine)


def find_in_files(folder):
    """The files in which one of the person's texts stands, and where in the ledger's compressed columns it does."""
    found = [
        (path.name, word)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for word in PERSON
        if word in path.read_bytes().lower()
    ]
    with closing(sqlite3.connect(folder / "cratewire.db")) as ledger:
        for table, column in COMPRESSED:
            rows = ledger.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608 constants
            texts = [decompress(value).lower() for (value,) in rows]
            found += [(table, word) for word in PERSON for text in texts if word in text]
    return found


def find_in_redis(redis):
    return [key for key in redis.scan_iter() for word in PERSON if word in _dump(redis, key).lower()]


def _dump(redis, key):
    readers = {b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers, b"stream": redis.xrange}
    readers |= {b"list": lambda name: redis.lrange(name, 0, -1), b"zset": lambda name: redis.zrange(name, 0, -1)}
    return str(readers[redis.type(key)](key)).encode()


def counts(installed):
    return (
        [(row.happening, row.ulid, row.outcome, row.duplicates) for row in installed.rows(core.Event)],
        [(row.reason, row.times) for row in installed.rows(core.DeadHook)],
        sorted(row.status for row in installed.rows(core.Delivery) if row.kind != "forget"),
    )


def test_no_file_no_redis_and_no_platform_has_an_erased_person(installed, track, sold):
    before = counts(installed)
    assert find_in_files(installed.data)
    erase()
    deliver(installed)

    assert (find_in_files(installed.data), find_in_redis(installed.process.redis)) == ([], [])
    assert counts(installed) == before
    assert [profile for profile in track.profiles if ("email", BUYER["email"]) in profile] == []
    assert ("email", BUYER["email"]) in track.suppressed
    assert {row.state for row in installed.rows(RegulationDestination)} == {"done"}


def test_what_waits_in_inbox_and_spool_is_recognised_when_it_is_recorded(installed, sold):
    waiting = [hook(order(id=number, customer=bea()), number % 4) for number in range(50, 54)]
    installed.receive(*waiting[:2])
    spool = Spool(installed.data)
    spool.append(waiting[2:])
    erase()
    deliver(installed)
    drained = spool.peek(10, 1_000_000)
    work(installed, *(kept for _, kept in drained))
    spool.remove(drained[-1][0], len(drained))

    outcomes = [row.outcome for row in installed.rows(core.Event)]
    assert outcomes[-4:] == ["suppressed"] * 4
    assert (find_in_files(installed.data), find_in_redis(installed.process.redis)) == ([], [])
    assert [row.recognised for row in installed.rows(Regulation)] == [4]


def test_replaying_every_hook_of_a_copy_brings_the_person_nowhere(installed, sold):
    recorded = len(installed.rows(core.Event))
    erase()
    deliver(installed)
    work(installed, *(RawHook(**{name: getattr(one, name) for name in RawHook.__dataclass_fields__}) for one in sold))

    assert find_in_files(installed.data) == []
    assert len(installed.rows(core.Event)) == recorded
    assert [row.times for row in installed.rows(core.DeadHook)] == [2]


def test_a_copy_without_its_events_is_replayed_into_empty_rows(installed, track, sold):
    """A ledger that has the regulation and none of the events, as one that was set up anew."""
    erase()
    deliver(installed)
    calls = len(track.calls)
    changed = [
        hook(gift_order(id=900, customer=bea()), 1),
        hook(bea(id=7001, email="new-address@example.com"), event="address_updated"),
        hook(shipment(id=901, customer=None), event="shipment_shipped"),
    ]
    work(installed, *changed)
    deliver(installed)

    assert find_in_files(installed.data) == []
    sent = b"".join(call.raw for call in track.calls[calls:]).lower()
    assert [word for word in (*PERSON, b"new-address") if word in sent] == []
    assert RECIPIENT.encode() in sent


def test_an_emptied_dead_hook_is_not_retried_for_ever(installed, sold):
    erase()
    with writing(installed.process.engine) as conn:
        conn.execute(core.DeadHook.__table__.update().values(reason="internal_error"))
    replayed = replay_internal_errors(installed.process.engine, installed.process.redis, "another", 10, 10**18)

    assert replayed == []


def test_a_restored_backup_is_put_right_by_importing_the_file(installed, sold, tmp_path):
    shutil.copytree(installed.data, tmp_path / "backup")
    erase()
    installed.process.engine.dispose()
    for path in installed.data.glob("cratewire.db*"):
        path.unlink()
    for path in (tmp_path / "backup").glob("cratewire.db*"):
        shutil.copy(path, installed.data)
    assert find_in_files(installed.data)
    result = run("people", "regulations", "import", "--json")
    deliver(installed)  # the platforms are asked again, and the requests have the address

    assert (result["imported"]["added"], result["applied"]["people"]) == (1, 1)
    assert find_in_files(installed.data) == []
