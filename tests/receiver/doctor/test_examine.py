"""The doctor's findings, with a real Valkey, and its output."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import redis
from click.testing import CliRunner
from sqlalchemy import insert

from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.schema.monitoring import Canary, Heartbeat
from pipeline.ledger.stores import save_store
from pipeline.settings import Settings
from receiver.cli import main
from receiver.doctor.examine import _check_python, run_checks
from receiver.doctor.redis import _check_append_only, _check_clock, _check_eviction, _check_version
from receiver.supervisor.locks import hold_data_dir
from tests.servers.valkey import valkey


@pytest.fixture
def settings(tmp_path, valkey_url, redis_client):  # whose server is empty
    return Settings.from_environment({"REDIS_URL": valkey_url}, data_dir=tmp_path)


@pytest.fixture
def migrated(settings):
    migrate(settings.database_url)
    (settings.data_dir / "cratewire.db").chmod(0o600)
    return settings


def states(settings, environ=None):
    return {finding.name: finding.state for finding in run_checks(settings, environ or {}, time.time)}


def test_a_sound_installation_has_nothing_wrong(migrated):
    engine, now = make_engine(migrated.database_url), time.time_ns() // 1000
    with writing(engine) as conn:
        conn.execute(insert(Heartbeat).values(name="chain", sent_at=now, arrived_at=now))
    engine.dispose()

    assert states(migrated) == dict.fromkeys(
        [
            "python",
            "settings",
            "open files",
            "data directory",
            "free space",
            "private files",
            "partitions",
            "redis",
            "redis version",
            "append-only file",
            "fsync",
            "eviction",
            "clock",
            "database",
            "secret key",
            "encrypted values",
            "erasures",
            "chain",
            "connections",
            "cratejoy",
            "way in",
            "retention",
            "counts",
            "silence",
            "memory",
            "sweeps",
            "attention",
        ],
        "ok",
    )


def test_a_redis_that_forgets_and_evicts_is_wrong(migrated):
    with valkey("--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as url:
        found = states(replace(migrated, redis_url=url))

    assert (found["append-only file"], found["eviction"]) == ("wrong", "wrong")


def test_a_redis_that_syncs_every_second_is_worth_a_note(migrated):
    with valkey("--appendfsync", "everysec") as url:
        assert states(replace(migrated, redis_url=url))["fsync"] == "note"


def test_a_redis_that_does_not_answer_is_wrong_and_the_rest_is_still_checked(migrated):
    found = states(replace(migrated, redis_url="redis://127.0.0.1:1/0"))

    assert (found["redis"], found["database"]) == ("wrong", "ok")


def found(settings):
    return {finding.name: finding for finding in run_checks(settings, {}, time.time)}


def test_a_redis_that_became_a_replica_is_wrong_and_nothing_else_is_to_be_started(migrated):
    with valkey() as url, redis.Redis.from_url(url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        seen = found(replace(migrated, redis_url=url, broker_url=url))

    assert (seen["redis"].state, "replica" in seen["redis"].says) == ("wrong", True)
    assert "REPLICAOF NO ONE" in seen["redis"].advice
    assert "fix that first" in seen["chain"].advice


def test_a_broker_that_became_a_replica_is_wrong(migrated):
    with valkey() as url, redis.Redis.from_url(url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        seen = found(replace(migrated, broker_url=url))

    assert (seen["redis"].state, seen["broker"].state) == ("ok", "wrong")
    assert "CRATEWIRE_BROKER_URL" in seen["broker"].advice


def test_a_replica_that_takes_writes_is_wrong_too(migrated):
    with valkey("--replica-read-only", "no") as url, redis.Redis.from_url(url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        seen = found(replace(migrated, redis_url=url))

    assert seen["redis"].says == "is a replica: writes to it are lost"


def test_a_redis_whose_memory_is_used_up_is_wrong(migrated):
    with valkey("--maxmemory", "1") as url:
        seen = found(replace(migrated, redis_url=url))

    assert "memory is used up" in seen["redis"].says


def test_a_redis_that_refuses_us_says_what_to_check(migrated):
    with valkey() as url, redis.Redis.from_url(url) as client:
        client.config_set("requirepass", "secret")
        seen = found(replace(migrated, redis_url=url.replace("//", "//:wrong@")))

    assert seen["redis"].advice.startswith("Check user and password in REDIS_URL")


def test_a_redis_that_does_not_sync_during_a_rewrite_is_wrong(migrated):
    with valkey("--no-appendfsync-on-rewrite", "yes") as url:
        assert found(replace(migrated, redis_url=url))["fsync"].state == "wrong"


def test_a_data_directory_that_cannot_be_made_is_named_as_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(main, ["doctor", "--json", "--data", str(tmp_path / "file" / "var")])

    (only,) = json.loads(result.stdout)["findings"]
    assert (only["name"], only["state"]) == ("data directory", "wrong")
    assert "CRATEWIRE_DATA_DIR" in only["advice"]


def advice(tmp_path, name):
    embedded = Settings.from_environment({}, data_dir=tmp_path)
    return {finding.name: finding.advice for finding in run_checks(embedded, {}, time.time)}[name]


@pytest.mark.parametrize("name", ["redis", "broker"])
def test_an_embedded_valkey_that_does_not_run_must_be_started(tmp_path, name):
    assert advice(tmp_path, name) == "Start it with `cratewire run`."


@pytest.mark.parametrize("name", ["redis", "broker"])
def test_an_embedded_valkey_that_hangs_is_not_to_be_started_a_second_time(tmp_path, name):
    with hold_data_dir(tmp_path):
        assert "is up, but its Valkey does not answer: restart it" in advice(tmp_path, name)


def test_a_database_that_was_not_migrated_is_wrong(settings):
    assert states(settings)["database"] == "wrong"


def test_a_database_that_does_not_answer_is_wrong(settings):
    assert states(replace(settings, database_url="postgresql://u:p@127.0.0.1:1/nothing"))["database"] == "wrong"


def test_a_data_directory_that_cannot_be_written_is_wrong(migrated, tmp_path):
    (tmp_path / "file").write_text("")

    assert states(replace(migrated, data_dir=tmp_path / "file"))["data directory"] == "wrong"


def test_a_misspelt_variable_is_worth_a_note(migrated):
    assert states(migrated, {"CRATEWIRE_SECRT_KEY": "x"})["settings"] == "note"


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (_check_python((3, 10)), "wrong"),
        (_check_python((3, 14)), "ok"),
        (_check_python((3, 15)), "wrong"),
        (_check_version({"redis_version": "6.0.16"}), "wrong"),
        (_check_version({"redis_version": "6.2.0"}), "ok"),
        (_check_version({"redis_version": "7.2.4", "valkey_version": "9.1.2"}), "ok"),
        (_check_append_only({"aof_enabled": 0}), "wrong"),
        (_check_eviction({"maxmemory_policy": "volatile-ttl"}), "wrong"),
        (_check_clock(4.0), "ok"),
        (_check_clock(-6.0), "wrong"),
    ],
)
def test_the_limits(finding, state):
    assert finding.state == state


def test_whatever_is_wrong_says_what_to_do(settings):
    broken = replace(settings, redis_url="redis://127.0.0.1:1/0", database_url="postgresql://u:p@127.0.0.1:1/nothing")

    wrong = [finding for finding in run_checks(broken, {}, time.time) if finding.state == "wrong"]

    assert [finding.name for finding in wrong] == ["redis", "database"]
    assert all(finding.advice for finding in wrong)


def examined_after(settings, *canaries):
    """The finding after these canaries (fault; None: it arrived), the newest last."""
    engine = make_engine(settings.database_url)
    now = time.time_ns() // 1000
    with writing(engine) as conn:
        store = save_store(conn, "acme", now).id
        for number, fault in enumerate(canaries):
            arrived = None if fault else now
            row = {"store_id": store, "nonce": str(number), "wanted_at": now, "sent_at": now, "answered_at": now}
            conn.execute(insert(Canary).values(**row, fault=fault, arrived_at=arrived))
        if canaries:
            open_alarm(conn, NewAlarm("silence", store, "order_new", now, 1), now)
    engine.dispose()
    return {finding.name: finding for finding in run_checks(settings, {}, time.time)}


def test_a_broken_public_url_is_wrong_and_says_what_fails(migrated):
    found = examined_after(migrated, None, *["TLS failed"] * 3)["way in"]

    assert found.state == "wrong"
    assert "TLS failed" in found.says


def test_a_working_public_url_and_a_silent_store_are_shown(migrated):
    found = examined_after(migrated, "TLS failed", None)

    assert (found["way in"].state, found["silence"].state) == ("ok", "wrong")
    assert "No order_new of acme" in found["silence"].says


def test_a_public_url_that_is_not_monitored_is_a_note(migrated):
    assert states(replace(migrated, canary_seconds=0.0))["way in"] == "note"


@pytest.mark.parametrize(("migrate_first", "exit_code"), [(True, 0), (False, 1)])
def test_the_exit_code_is_zero_only_if_nothing_is_wrong(settings, valkey_url, migrate_first, exit_code):
    if migrate_first:
        migrate(settings.database_url)
        (settings.data_dir / "cratewire.db").chmod(0o600)

    result = CliRunner(env={"REDIS_URL": valkey_url}).invoke(
        main, ["doctor", "--json", "--data", str(settings.data_dir)]
    )

    assert (result.exit_code, json.loads(result.stdout)["sound"]) == (exit_code, exit_code == 0)


def test_settings_that_cannot_be_read_are_the_finding(tmp_path):
    result = CliRunner(env={"PORT": "x"}).invoke(main, ["doctor", "--data", str(tmp_path)])

    assert result.exit_code == 1
    assert "PORT: Not a valid integer." in result.stdout


def test_files_that_other_users_may_read_are_wrong(migrated):
    (migrated.data_dir / "cratewire.db").chmod(0o644)

    (found,) = (one for one in run_checks(migrated, {}, time.time) if one.name == "private files")
    assert (found.state, f"{migrated.data_dir}/cratewire.db" in found.says) == ("wrong", True)
