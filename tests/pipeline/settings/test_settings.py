"""How the environment is read, what applies where it says nothing, and how malformed variables are reported."""

from __future__ import annotations

import stat

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.settings import VARIABLES, Settings, read_environment

KEY = "k" * 16

GOOD = [
    ("REDIS_URL", "rediss://:pw@redis.example.com:6380/1", "redis_url", "rediss://:pw@redis.example.com:6380/1"),
    ("DATABASE_URL", "postgres://u:p@db.example.com/c", "database_url", "postgres://u:p@db.example.com/c"),
    ("PORT", "9000", "port", 9000),
    ("CRATEWIRE_HOST", "0.0.0.0", "host", "0.0.0.0"),  # noqa: S104  nothing listens
    ("CRATEWIRE_SECRET_KEY", f"{KEY}1, {KEY}2", "secret_keys", (f"{KEY}1", f"{KEY}2")),
    ("CRATEWIRE_PUBLIC_URL", "https://hooks.example.com/", "public_url", "https://hooks.example.com"),
    ("CRATEWIRE_BROKER_URL", "amqp://guest@127.0.0.1//", "broker_url", "amqp://guest@127.0.0.1//"),
    ("CRATEWIRE_MAX_HOOK_BYTES", "2000", "max_hook_bytes", 2000),
    ("CRATEWIRE_STORE_HOOKS_PER_MINUTE", "600", "store_hooks_per_minute", 600),
    ("CRATEWIRE_REDIS_TIMEOUT", "1.5", "redis_timeout", 1.5),
    ("CRATEWIRE_REPLICAS", "2", "replicas", 2),
    ("CRATEWIRE_BATCH", "7", "batch", 7),
    ("CRATEWIRE_WORKERS", "2", "workers", 2),
    ("CRATEWIRE_PARTITIONS", "8", "partitions", 8),
    ("CRATEWIRE_CRATEJOY_RATE", "0.5", "cratejoy_rate", 0.5),
    ("CRATEWIRE_RECONCILE_SECONDS", "0", "reconcile_seconds", 0.0),
    ("CRATEWIRE_RECONCILE_OVERLAP_SECONDS", "60", "reconcile_overlap_seconds", 60.0),
    ("CRATEWIRE_RECONCILE_GRACE_SECONDS", "5", "reconcile_grace_seconds", 5.0),
    ("CRATEWIRE_FULFILMENT_PULL_SECONDS", "60", "fulfilment_pull_seconds", 60.0),
    ("CRATEWIRE_FULFILMENT_TRACKING_SECONDS", "60", "fulfilment_tracking_seconds", 60.0),
    ("CRATEWIRE_FULFILMENT_AT_ONCE", "2", "fulfilment_at_once", 2),
    ("CRATEWIRE_FULFILMENT_STUCK_SECONDS", "60", "fulfilment_stuck_seconds", 60.0),
    ("CRATEWIRE_FLOWER_HOST", "10.0.0.7", "flower_host", "10.0.0.7"),
    ("CRATEWIRE_FLOWER_PORT", "5556", "flower_port", 5556),
    ("CRATEWIRE_FLOWER_AT_START", "true", "flower_at_start", True),
    ("CRATEWIRE_FLOWER_PASSWORD", "correct horse", "flower_password", "correct horse"),
    ("CRATEWIRE_REHEARSED_UPGRADES", "true", "rehearsed_upgrades", True),
    ("CRATEWIRE_VALKEY_MAXMEMORY", "64mb", "valkey_maxmemory", "64mb"),
    ("CRATEWIRE_HEARTBEAT_SECONDS", "0", "heartbeat_seconds", 0.0),
    ("CRATEWIRE_CANARY_SECONDS", "0", "canary_seconds", 0.0),
    ("CRATEWIRE_ALARM_URL", "https://example.com/a", "alarm_url", "https://example.com/a"),
    ("CRATEWIRE_METRICS_TOKEN", "t" * 16, "metrics_token", "t" * 16),
    ("CRATEWIRE_TRACES_URL", "http://127.0.0.1:4318/v1/traces", "traces_url", "http://127.0.0.1:4318/v1/traces"),
    ("SMTP_URL", "smtps://u:p@mail.example.com", "smtp_url", "smtps://u:p@mail.example.com"),
    ("CRATEWIRE_OPERATOR_MAIL", "a@example.com, b@example.com", "operator_mail", ("a@example.com", "b@example.com")),
    ("CRATEWIRE_MAIL_FROM", "Shop <shop@example.com>", "mail_from", "Shop <shop@example.com>"),
    ("CRATEWIRE_CONNECT_ANYWHERE", "true", "connect_anywhere", True),
    ("CRATEWIRE_DEMO_STORE", "demo", "demo_store", "demo"),
    ("CRATEWIRE_REGISTRATION", "invited", "registration", "invited"),
    ("CRATEWIRE_KEEP_BODIES_DAYS", "0", "keep_bodies_days", 0),
    ("CRATEWIRE_KEEP_MESSAGES_DAYS", "7", "keep_messages_days", 7),
    ("CRATEWIRE_KEEP_CALLS_DAYS", "7", "keep_calls_days", 7),
    ("CRATEWIRE_KEEP_DEAD_HOOKS_DAYS", "7", "keep_dead_hooks_days", 7),
    ("CRATEWIRE_KEEP_ATTRIBUTE_CHANGES_DAYS", "7", "keep_attribute_changes_days", 7),
    ("CRATEWIRE_KEEP_EVENTS_DAYS", "7", "keep_events_days", 7),
    ("CRATEWIRE_KEEP_PEOPLE_DAYS", "7", "keep_people_days", 7),
    ("CRATEWIRE_LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
    ("CRATEWIRE_LOG_FORMAT", "json", "log_format", "json"),
]

BAD = {
    "REDIS_URL": "http://redis.example.com",
    "DATABASE_URL": "mysql://db.example.com/c",
    "PORT": "70000",
    "CRATEWIRE_SECRET_KEY": f"{KEY},short",
    "CRATEWIRE_PUBLIC_URL": "hooks.example.com",
    "CRATEWIRE_BROKER_URL": "kafka://broker.example.com",
    "CRATEWIRE_MAX_HOOK_BYTES": "many",
    "CRATEWIRE_STORE_HOOKS_PER_MINUTE": "0",
    "CRATEWIRE_REDIS_TIMEOUT": "0",
    "CRATEWIRE_REPLICAS": "-1",
    "CRATEWIRE_BATCH": "0",
    "CRATEWIRE_WORKERS": "none",
    "CRATEWIRE_PARTITIONS": "65",
    "CRATEWIRE_CRATEJOY_RATE": "0",
    "CRATEWIRE_RECONCILE_SECONDS": "-1",
    "CRATEWIRE_RECONCILE_OVERLAP_SECONDS": "-1",
    "CRATEWIRE_RECONCILE_GRACE_SECONDS": "100000",
    "CRATEWIRE_FULFILMENT_PULL_SECONDS": "0",
    "CRATEWIRE_FULFILMENT_TRACKING_SECONDS": "0",
    "CRATEWIRE_FULFILMENT_AT_ONCE": "0",
    "CRATEWIRE_FULFILMENT_STUCK_SECONDS": "1",
    "CRATEWIRE_FLOWER_PORT": "-1",
    "CRATEWIRE_FLOWER_AT_START": "perhaps",
    "CRATEWIRE_FLOWER_PASSWORD": "short",
    "CRATEWIRE_REHEARSED_UPGRADES": "perhaps",
    "CRATEWIRE_VALKEY_MAXMEMORY": "64 mb",
    "CRATEWIRE_HEARTBEAT_SECONDS": "-1",
    "CRATEWIRE_CANARY_SECONDS": "-1",
    "CRATEWIRE_ALARM_URL": "example.com/a",
    "CRATEWIRE_METRICS_TOKEN": "short",
    "CRATEWIRE_TRACES_URL": "127.0.0.1:4318",
    "SMTP_URL": "mail.example.com:25",
    "CRATEWIRE_OPERATOR_MAIL": "operator",
    "CRATEWIRE_MAIL_FROM": "operator",
    "CRATEWIRE_CONNECT_ANYWHERE": "perhaps",
    "CRATEWIRE_REGISTRATION": "closed",
    "CRATEWIRE_KEEP_BODIES_DAYS": "-1",
    "CRATEWIRE_KEEP_MESSAGES_DAYS": "soon",
    "CRATEWIRE_KEEP_CALLS_DAYS": "-1",
    "CRATEWIRE_KEEP_DEAD_HOOKS_DAYS": "-1",
    "CRATEWIRE_KEEP_ATTRIBUTE_CHANGES_DAYS": "-1",
    "CRATEWIRE_KEEP_EVENTS_DAYS": "1.5",
    "CRATEWIRE_KEEP_PEOPLE_DAYS": "-1",
    "CRATEWIRE_LOG_LEVEL": "LOUD",
    "CRATEWIRE_LOG_FORMAT": "xml",
}


@pytest.mark.parametrize(("name", "text", "attribute", "value"), GOOD)
def test_a_variable_sets_its_attribute(tmp_path, name, text, attribute, value):
    server = {"REDIS_URL": "redis://redis.example.com"}  # that may have replicas
    settings = Settings.from_environment(server | {name: text}, data_dir=tmp_path)

    assert getattr(settings, attribute) == value


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_variable_is_named(tmp_path, name):
    with pytest.raises(Misconfigured, match=f"^{name}: "):
        Settings.from_environment({name: BAD[name]}, data_dir=tmp_path)


def test_every_malformed_variable_is_named_at_once(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment(BAD, data_dir=tmp_path)

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == sorted(BAD)


@pytest.mark.parametrize("name", ["REDIS_URL", "CRATEWIRE_BROKER_URL"])
def test_sentinels_without_the_name_of_a_primary_are_named_without_their_password(tmp_path, name):
    with pytest.raises(Misconfigured, match=f"^{name}: Must name the primary") as caught:
        Settings.from_environment({name: "redis+sentinel://:hunter2@one,two"}, data_dir=tmp_path)

    assert "hunter2" not in str(caught.value)


def test_a_refusal_never_quotes_a_secret(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment({"CRATEWIRE_SECRET_KEY": "hunter2"}, data_dir=tmp_path)

    assert "hunter2" not in str(caught.value)


ANY_TEXT = {"CRATEWIRE_DATA_DIR", "CRATEWIRE_DEMO_STORE", "CRATEWIRE_HOST", "CRATEWIRE_FLOWER_HOST"}


def test_the_tables_above_know_every_variable():
    names = {row.name for row in VARIABLES.values()}

    assert {row[0] for row in GOOD} | {"CRATEWIRE_DATA_DIR"} == names
    assert set(BAD) | ANY_TEXT == names


def test_with_nothing_set_everything_is_embedded_in_the_data_directory(tmp_path):
    settings = Settings.from_environment({}, data_dir=tmp_path)

    assert settings.embedded_redis
    assert settings.redis_url.endswith("/0")
    assert settings.redis_url.split("@")[1].startswith("127.0.0.1:")
    assert settings.embedded_broker
    assert settings.broker_url.split("@")[1].startswith("127.0.0.1:")
    assert settings.broker_url != settings.redis_url
    assert settings.database_url == f"sqlite:///{tmp_path}/cratewire.db"
    assert settings.public_url == "http://127.0.0.1:8080"


def test_a_redis_that_is_configured_is_the_broker_too(tmp_path):
    settings = Settings.from_environment({"REDIS_URL": "redis://redis.example.com"}, data_dir=tmp_path)

    assert settings.broker_url == settings.redis_url
    assert not settings.embedded_broker


@pytest.mark.parametrize(
    ("url", "partitions"),
    [("postgres://db.example.com/c", 4), ("postgresql+psycopg://db.example.com/c", 4), ("sqlite:////c.db", 1)],
)
def test_an_inbox_has_several_partitions_where_several_transactions_write(tmp_path, url, partitions):
    assert Settings.from_environment({"DATABASE_URL": url}, data_dir=tmp_path).partitions == partitions


def test_two_commands_with_one_data_directory_agree_on_everything(tmp_path):
    assert Settings.from_environment({}, data_dir=tmp_path) == Settings.from_environment({}, data_dir=tmp_path)


def test_two_data_directories_share_no_secret(tmp_path):
    first = Settings.from_environment({}, data_dir=tmp_path / "first")
    second = Settings.from_environment({}, data_dir=tmp_path / "second")

    assert first.secret_keys != second.secret_keys
    assert first.flower_password != second.flower_password
    assert first.redis_url != second.redis_url


def test_a_generated_secret_is_readable_by_its_owner_only(tmp_path):
    Settings.from_environment({}, data_dir=tmp_path / "new")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    made = ("secret_key", "flower_password", "metrics_token", "valkey.json", "broker.json")
    assert modes == dict.fromkeys(made, 0o600)


def test_nothing_is_written_when_every_variable_is_set(tmp_path):
    given = {name: text for name, text, _, _ in GOOD}

    Settings.from_environment(given, data_dir=tmp_path / "untouched")

    assert not (tmp_path / "untouched").exists()


def test_the_repr_shows_no_secret(tmp_path):
    given = {name: text for name, text, _, _ in GOOD}

    shown = repr(Settings.from_environment(given, data_dir=tmp_path))

    assert not [secret for secret in (":pw@", "u:p@", KEY, "guest@", "correct horse") if secret in shown]


def test_the_command_line_wins_over_the_environment(tmp_path):
    environ = {"PORT": "9000", "CRATEWIRE_DATA_DIR": str(tmp_path / "env")}

    settings = Settings.from_environment(environ, data_dir=tmp_path / "line", port=9001)

    assert (settings.port, settings.data_dir) == (9001, tmp_path / "line")
    assert settings.public_url == "http://127.0.0.1:9001"


def test_the_data_directory_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert Settings.from_environment({"CRATEWIRE_DATA_DIR": "here"}).data_dir == tmp_path / "here"


def test_an_empty_variable_counts_as_unset(tmp_path):
    assert Settings.from_environment({"REDIS_URL": "", "PORT": " "}, data_dir=tmp_path).port == 8080


def test_an_unusable_data_directory_is_named_in_the_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match="file"):
        Settings.from_environment({}, data_dir=tmp_path / "file")


def test_the_environment_wins_over_the_dotenv_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=1\nCRATEWIRE_BATCH=2\nNOTHING\n")
    monkeypatch.setenv("PORT", "3")

    environ = read_environment(tmp_path / ".env")

    assert (environ["PORT"], environ["CRATEWIRE_BATCH"]) == ("3", "2")
    assert "NOTHING" not in environ


def test_commands_use_the_port_that_run_was_given(tmp_path):
    (tmp_path / "port").write_text("9123")
    assert Settings.from_environment({}, data_dir=tmp_path).public_url == "http://127.0.0.1:9123"


def test_a_malformed_port_file_counts_as_missing(tmp_path):
    (tmp_path / "port").write_text("port")
    assert Settings.from_environment({}, data_dir=tmp_path).port == 8080
