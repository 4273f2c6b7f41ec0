"""docker-compose.yml against the Procfile, the settings, the embedded Valkey's flags and the files it mounts."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import yaml

from pipeline.infra.embedded_valkey import BROKER_FLAGS, FLAGS
from receiver.alive import CHECKS
from tests.deploy.shell import COMMANDS, EXEC, ROOT, SETTINGS

TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "cratewire"}
DECLARED = {  # what each image declares with VOLUME
    "cratewire": "/var/lib/cratewire",
    "postgres": "/var/lib/postgresql/data",
    "valkey/valkey": "/data",
    "prom/prometheus": "/prometheus",
    "grafana/grafana": "/var/lib/grafana",
}
SERVERS_OWN = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "GRAFANA_PASSWORD"}


def test_every_process_of_the_procfile_is_a_service():
    assert OURS.keys() - {"migrate"} == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_process_is_started_as_the_procfile_starts_it(name):
    *shell, line = OURS[name]["command"]

    assert shell == ["/bin/sh", "-c"]
    assert line.replace("$$", "$") == EXEC + COMMANDS[name]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_a_process_is_given_is_a_setting(name):
    assert OURS[name]["environment"].keys() - SETTINGS == set()


@pytest.mark.parametrize("name", OURS)
def test_a_process_gets_every_setting(name):
    assert OURS[name]["env_file"] == [{"path": ".env", "required": False}]


@pytest.mark.parametrize("name", OURS)
def test_no_setting_moves_a_process_away_from_its_port_its_volume_and_its_servers(name):
    """What stands in .env may be meant for a Cratewire beside the containers."""
    places = {"DATABASE_URL", "REDIS_URL", "CRATEWIRE_FLOWER_HOST", "CRATEWIRE_FLOWER_PORT"}
    of_image = dict(re.findall(r"(?m)\b(CRATEWIRE_DATA_DIR|CRATEWIRE_HOST|PORT)=(\S+)", DOCKERFILE))

    assert places <= OURS[name]["environment"].keys()
    assert of_image.items() <= OURS[name]["environment"].items()


def test_every_variable_that_is_filled_in_is_a_setting_or_a_servers_password():
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) - SETTINGS - SERVERS_OWN == set()


def test_the_secrets_that_must_be_set_are_listed_at_the_top():
    listed = set(re.findall(r"(?m)^#     (\w+)=", TEXT))

    assert set(re.findall(r"\$\{(\w+):\?\}", TEXT)) == listed


def test_processes_agree_on_every_secret_that_would_be_made_up_on_each_host():
    made_up = {"CRATEWIRE_SECRET_KEY", "CRATEWIRE_FLOWER_PASSWORD", "CRATEWIRE_METRICS_TOKEN"}

    assert {name for name, one in OURS.items() if not made_up <= one["environment"].keys()} == set()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate"}))
def test_every_service_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", CHECKS)
def test_a_process_is_asked_by_its_own_check(name):
    assert OURS[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "receiver.alive", name]


def test_everything_is_started_again_but_the_migration():
    assert {name for name, service in SERVICES.items() if service["restart"] != "always"} == {"migrate"}


def test_whom_a_service_waits_for_exists_and_can_say_that_it_is_there():
    waits = {name: service.get("depends_on") or {} for name, service in SERVICES.items()}

    assert [
        (name, other)
        for name, others in waits.items()
        for other, how in others.items()
        if how["condition"] == "service_healthy" and "test" not in SERVICES[other]["healthcheck"]
    ] == []


def test_web_waits_for_no_other_service():
    assert SERVICES["web"]["depends_on"] == []


def test_only_loopback_is_published():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_one_service_builds_the_image_for_all():
    """Of two that build one name at once the slower fails, where Docker keeps images with containerd."""
    assert [name for name, one in OURS.items() if "build" in one] == ["web"]


def test_no_registry_is_asked_for_what_is_built_here():
    assert {one["pull_policy"] for one in OURS.values()} == {"never"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_leaves_a_nameless_volume_behind(name):
    """A volume that the image declares is created anew each time, unless one is mounted; the old one is lost."""
    service = SERVICES[name]
    kept = [mount.split(":")[1] for mount in service.get("volumes", [])]
    forgotten = [mount.split(":")[0] for mount in service.get("tmpfs", [])]

    assert (kept + forgotten).count(DECLARED[service["image"].partition(":")[0]]) == 1


def test_the_folder_of_who_keeps_nothing_is_the_users_of_the_image():
    (user,) = re.findall(r"--uid (\d+)", DOCKERFILE)
    folders = [mount for one in OURS.values() for mount in one["tmpfs"] if mount.startswith("/var/lib/cratewire")]

    assert folders
    assert set(folders) == {f"/var/lib/cratewire:mode=0700,uid={user}"}


def test_flower_which_does_not_end_while_the_broker_is_away_is_not_waited_for():
    assert SERVICES["flower"]["stop_grace_period"] == "10s"


def test_unsent_mails_survive_the_container_that_wrote_them():
    assert SERVICES["worker"]["volumes"] == ["mail:/var/lib/cratewire"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_log_grows_without_end(name):
    """They lie on the disk that the spool needs. Docker's driver `local` throws old lines away, its default none."""
    assert SERVICES[name]["logging"] == {"driver": "local"}


def test_every_mounted_file_exists():
    sources = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]

    assert [source for source in sources if source.startswith(".") and not (ROOT / source).exists()] == []


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_what_services_share_is_declared(kind):
    used = {one.split(":")[0] for service in SERVICES.values() for one in service.get(kind, [])}

    assert {name for name in used if not name.startswith(".")} == COMPOSE[kind].keys()


def test_postgres_is_asked_where_it_is_there_for_others():
    """Its image makes the first database with a server that listens on its Unix socket only."""
    assert "--host" in SERVICES["postgres"]["healthcheck"]["test"]


def test_the_spool_survives_its_container():
    assert SERVICES["web"]["volumes"] == ["spool:/var/lib/cratewire"]


@pytest.mark.parametrize(
    ("service", "flags", "names"),
    [
        ("valkey", FLAGS, ("appendonly", "appendfsync", "maxmemory-policy", "save")),
        ("broker", BROKER_FLAGS, ("appendonly", "maxmemory-policy", "save")),
    ],
)
def test_each_valkey_keeps_what_the_embedded_one_keeps(service, flags, names):
    given = dict(pairwise(SERVICES[service]["command"][-1].split()))

    assert {name: given.get(f"--{name}") for name in names} == {name: flags[name] for name in names}


def test_celery_has_the_broker_that_keeps_nothing_unless_it_is_given_another():
    asked = {one["environment"]["CRATEWIRE_BROKER_URL"] for one in OURS.values()}

    assert asked == {"${CRATEWIRE_BROKER_URL:-redis://:${VALKEY_PASSWORD:?}@broker:6379/0}"}
