"""The doctor's findings about an installation that is in order but handles no hooks."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import insert

from pipeline.cratejoy.credentials import Credentials
from pipeline.infra import redis_keys
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.faults import DatabaseFault
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.store_apis import record_key_check, save_store_api
from pipeline.ledger.stores import save_store
from pipeline.monitoring.database_trouble import report_trouble
from pipeline.settings import Settings
from receiver.doctor.examine import run_checks

NOW = 1_772_470_000
MICROS = 1_000_000
LONG_AGO = NOW - 3_600


@pytest.fixture
def redis(valkey_url):
    with contextlib.closing(Redis.from_url(valkey_url)) as client:
        client.flushall()
        yield client
        client.flushall()


@pytest.fixture
def settings(tmp_path, valkey_url, redis):
    made = Settings.from_environment({"REDIS_URL": valkey_url}, data_dir=tmp_path)
    migrate(made.database_url)
    return made


def write(settings, *steps):
    engine = make_engine(settings.database_url)
    with writing(engine) as conn:
        for step in steps:
            step(conn)
    engine.dispose()


def arrived(at):
    row = {"name": "chain", "sent_at": at * MICROS, "arrived_at": at * MICROS}
    return lambda conn: conn.execute(insert(Heartbeat).values(row))


def connected(conn, *, refused=False):
    now = NOW * MICROS
    link = save_connection(conn, NewConnection(save_store(conn, "acme", now).id, "customerio", "env-1", b"sealed"), now)
    if refused:
        pause_connection(conn, link.id, "the credentials were refused (401)", now)


def found(settings, name):
    return next(finding for finding in run_checks(settings, {}, lambda: NOW) if finding.name == name)


def test_a_chain_whose_heartbeats_arrive_is_all_right(settings):
    write(settings, arrived(NOW - 4))

    assert (found(settings, "chain").state, found(settings, "chain").says) == ("ok", "alive")


def test_a_dead_chain_is_wrong_and_names_the_processes_to_check(settings, redis):
    """Web runs and sends heartbeats; no worker takes them."""
    redis.set(redis_keys.HEARTBEAT_STARTED, LONG_AGO * MICROS)
    write(settings, arrived(LONG_AGO))

    chain = found(settings, "chain")
    assert (chain.state, "3600 s ago" in chain.says, "worker" in chain.advice) == ("wrong", True, True)


def test_a_chain_that_no_longer_runs_is_wrong_and_says_how_to_start_it(settings):
    write(settings, arrived(LONG_AGO))

    chain = found(settings, "chain")
    assert (chain.state, "cratewire run" in chain.advice) == ("wrong", True)


def test_a_chain_that_never_brought_a_heartbeat_is_wrong_while_web_runs(settings, redis):
    redis.set(redis_keys.HEARTBEAT_STARTED, LONG_AGO * MICROS)

    chain = found(settings, "chain")
    assert (chain.state, chain.says) == ("wrong", "hooks do not become events; no heartbeat has ever arrived")


def test_before_the_first_start_there_is_only_a_note(settings):
    assert found(settings, "chain").state == "note"


def test_a_chain_that_is_not_monitored_is_a_note(settings):
    write(settings, arrived(LONG_AGO))

    assert found(replace(settings, heartbeat_seconds=0.0), "chain").state == "note"


def test_without_redis_the_chain_is_still_judged_by_its_heartbeats(settings):
    write(settings, arrived(LONG_AGO))

    chain = found(replace(settings, redis_url="redis://127.0.0.1:1/0"), "chain")
    assert (chain.state, chain.advice) == ("wrong", "Redis accepts no writes: fix that first.")


def test_a_paused_connection_is_wrong_and_says_why_and_what_to_do(settings):
    write(settings, lambda conn: connected(conn, refused=True))

    wire = found(settings, "connections")
    assert wire.state == "wrong"
    assert "acme: nothing reaches Customer.io (the credentials were refused, 401)" in wire.says
    assert "cratewire connect" in wire.advice


def test_connections_that_are_not_paused_are_all_right(settings):
    write(settings, connected)

    assert found(settings, "connections").state == "ok"


@pytest.mark.parametrize(
    ("refused", "state"), [(None, "ok"), ("Cratejoy refused the Client ID and Secret (401)", "wrong")]
)
def test_keys_that_cratejoy_refuses_are_wrong(settings, refused, state):
    def keys_of_acme(conn):
        store = save_store(conn, "acme", NOW * MICROS).id
        save_store_api(conn, store, b"sealed", NOW * MICROS)
        record_key_check(conn, store, refused, NOW * MICROS)

    write(settings, keys_of_acme)

    found_wrong = found(settings, "cratejoy")
    assert found_wrong.state == state
    assert refused is None or "acme: Cratejoy refuses the keys" in found_wrong.says


def test_stores_that_have_the_same_keys_are_named(settings):
    config = encrypt(settings.secret_keys, Credentials("id", "secret").as_config())

    def both(conn):
        for name in ("acme", "twin"):
            save_store_api(conn, save_store(conn, name, NOW * MICROS).id, config, NOW * MICROS)

    write(settings, both)

    found_wrong = [
        one for one in run_checks(settings, {}, lambda: NOW) if one.name == "cratejoy" and one.state == "wrong"
    ]
    assert [one.says.partition(" have")[0] for one in found_wrong] == ["acme, twin"]


def test_what_keeps_the_chain_from_writing_is_named_with_what_to_do(settings, redis):
    write(settings, arrived(LONG_AGO))
    report_trouble(redis, DatabaseFault("42501", "a right is missing", "GRANT it."), "hooks.fan_out", NOW)

    chain = found(settings, "chain")

    assert "a right is missing (42501, reported by hooks.fan_out)" in chain.says
    assert chain.advice == "GRANT it."
