"""deploy/kubernetes against Kubernetes's schemas, the Procfile, the settings, the tasks and what web answers."""

from __future__ import annotations

import copy
import re
from dataclasses import fields

import kubernetes_validate
import pytest
import yaml
from flask import Flask
from flower.urls import handlers
from kubernetes_validate import ValidationError

from pipeline.infra.embedded_valkey import BROKER_FLAGS, FLAGS
from pipeline.settings import VARIABLES, Settings
from receiver import health
from receiver.alive import CHECKS
from tasks.config import celery_config
from tests.deploy.kubernetes import (
    BASE,
    CUSTOM,
    FOLDER,
    FOLDERS,
    PLAN,
    PROCESSES,
    VALKEYS,
    WORKLOADS,
    get_pod,
    list_containers,
    list_probes,
    read_documents,
    read_example_secrets,
    read_kustomization,
)
from tests.deploy.shell import COMMANDS, EXEC, ROOT, SETTINGS
from tests.deploy.test_compose import DOCKERFILE

VERSIONS = ("1.29", "1.37")  # the first in which ReadWriteOncePod is stable, and the newest that the validator knows
SECRETS = {VARIABLES[one.name].name for one in fields(Settings) if one.name in VARIABLES and not one.repr}
OURS = sorted(WORKLOADS.keys() - set(VALKEYS))
OF_CLUSTER = {(folder, *key): one for folder in FOLDERS for key, one in read_documents(folder).items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_one_of_kubernetes(version):
    for document in OF_CLUSTER.values():
        if document["apiVersion"] not in CUSTOM:
            kubernetes_validate.validate(document, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found():
    wrong = copy.deepcopy(BASE["Deployment", "worker"])
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}

    with pytest.raises(ValidationError, match="livenessprobe"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_kustomization_names_every_file_of_its_folder(folder):
    files = {path.name for path in (FOLDER / folder).iterdir()} - {"kustomization.yaml"}
    named = {one for one in read_kustomization(folder)["resources"] if not one.startswith("..")}

    assert named == files


def test_no_two_files_make_the_same_thing():
    files = [path for folder in FOLDERS for path in (FOLDER / folder).glob("*.yaml")]
    documents = [one for path in files for one in yaml.safe_load_all(path.read_text()) if "metadata" in one]

    assert len(documents) == len(OF_CLUSTER)


def test_the_version_is_that_of_the_project():
    version = re.search(r'(?m)^version = "(.*)"$', (ROOT / "pyproject.toml").read_text())[1]

    assert {one["newTag"] for folder in ("base", "plan") for one in read_kustomization(folder)["images"]} == {version}


def test_every_process_of_the_procfile_has_a_workload():
    assert COMMANDS.keys() == PROCESSES


@pytest.mark.parametrize("name", COMMANDS)
def test_a_process_is_started_as_the_procfile_starts_it(name):
    (container,) = get_pod(name)["containers"]

    assert container["command"] == ["/bin/sh", "-c", EXEC + COMMANDS[name]]


def test_every_queue_is_consumed():
    commands = " ".join(container["command"][-1] for name in PROCESSES for container in list_containers(name))
    consumed = {queue for queues in re.findall(r"-Q (\S+)", commands) for queue in queues.split(",")}

    assert consumed == celery_config(Settings.from_environment({}))["task_queues"].keys()


def test_every_variable_is_a_setting():
    own = {variable["name"] for name in OURS for one in list_containers(name) for variable in one.get("env", [])}
    shared = BASE["ConfigMap", "cratewire"]["data"].keys() | read_example_secrets().keys()

    assert (own | shared) - SETTINGS == set()


def test_a_secret_is_in_no_manifest():
    assert BASE["ConfigMap", "cratewire"]["data"].keys() & SECRETS == set()
    assert [key for key in OF_CLUSTER if "Secret" in key] == []


def test_the_secret_has_what_each_process_would_make_up_for_itself():
    made_up = {"CRATEWIRE_SECRET_KEY", "CRATEWIRE_FLOWER_PASSWORD", "CRATEWIRE_METRICS_TOKEN"}

    assert made_up | {"REDIS_URL", "DATABASE_URL", "SMTP_URL"} <= read_example_secrets().keys()


@pytest.mark.parametrize("name", OURS)
def test_a_process_gets_every_setting(name):
    given = [{"configMapRef": {"name": "cratewire"}}, {"secretRef": {"name": "cratewire"}}]

    assert [one["envFrom"] for one in list_containers(name)] == [given] * len(list_containers(name))


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_no_secret_is_on_a_command_line(name):
    lines = " ".join(" ".join(one["command"]) for one in list_containers(name))

    assert [one for one in (*SECRETS, "REDISCLI_AUTH", "requirepass") if one in lines] == []


def test_the_addresses_of_the_secret_are_services():
    secrets = read_example_secrets()
    hosts = {re.search(r"@(\w+):6379", secrets[name])[1] for name in ("REDIS_URL", "CRATEWIRE_BROKER_URL")}

    assert hosts == set(VALKEYS)
    assert all(("Service", host) in BASE for host in hosts)


def test_web_answers_every_address_that_it_is_asked_for():
    app = Flask("web")
    app.register_blueprint(health.blueprint(lambda: None, health.get_unwatched_chain))

    asked = {kind: probe["httpGet"]["path"] for kind, probe in list_probes("web")}

    assert set(asked.values()) <= {rule.rule for rule in app.url_map.iter_rules()}
    assert asked["readinessProbe"] == "/readyz/hooks"  # what a load balancer has to use: docs/fleet.md
    assert asked["livenessProbe"] == "/healthz"  # what fails only if web itself does


def test_flower_answers_the_address_that_it_is_asked_for():
    answered = {handler[0] for handler in handlers if isinstance(handler, tuple)}

    assert {probe["httpGet"]["path"] for _, probe in list_probes("flower")} <= answered


@pytest.mark.parametrize("name", ["worker", "backfill", "beat"])
def test_a_process_without_a_port_is_asked_by_its_own_check(name):
    commands = [probe["exec"]["command"] for _, probe in list_probes(name)]

    assert name in CHECKS
    assert commands == [["python", "-m", "receiver.alive", name]] * 2


@pytest.mark.parametrize("name", sorted(WORKLOADS.keys() - {"migration-plan"}))
def test_every_process_is_given_time_to_start_and_started_again_when_it_hangs(name):
    assert {"startupProbe", "livenessProbe"} <= dict(list_probes(name)).keys()


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_no_process_has_more_rights_than_it_needs(name):
    pod = get_pod(name)
    needed = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert [one["securityContext"] for one in list_containers(name)] == [needed] * len(list_containers(name))
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", OURS)
def test_a_process_is_the_user_of_the_image(name):
    assert get_pod(name)["securityContext"]["runAsUser"] == int(re.search(r"--uid (\d+)", DOCKERFILE)[1])


@pytest.mark.parametrize("name", sorted({*PROCESSES, *VALKEYS}))
def test_no_start_opens_private_files_to_the_group(name):
    """Kubernetes would let the group read and write them, each time a volume is mounted."""
    assert get_pod(name)["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_every_container_has_a_limit_of_memory_and_none_of_processor_time(name):
    for container in list_containers(name):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_what_a_container_mounts_is_a_volume_of_its_pod(name):
    volumes = {one["name"] for one in get_pod(name).get("volumes", [])}
    claims = {one["metadata"]["name"] for one in WORKLOADS[name]["spec"].get("volumeClaimTemplates", [])}
    mounted = {one["name"] for container in list_containers(name) for one in container.get("volumeMounts", [])}

    assert mounted == volumes | claims


@pytest.mark.parametrize("name", ["web", "inbox"])
def test_what_must_survive_is_on_a_disk_of_its_own(name):
    (claim,) = WORKLOADS[name]["spec"]["volumeClaimTemplates"]

    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_the_database_is_migrated_before_a_worker_starts_and_web_waits_for_nothing():
    migrating = {name for name in PROCESSES if get_pod(name).get("initContainers")}

    assert migrating == {"worker", "backfill"}
    assert get_pod("worker")["initContainers"][0]["command"] == ["cratewire", "migrate", "--wait"]
    assert PLAN["Job", "migration-plan"]["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "--plan"


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_what_there_are_several_of_is_spread_and_never_all_gone(name):
    labels = {"app.kubernetes.io/name": name}
    spread = get_pod(name)["topologySpreadConstraints"]

    assert [one["labelSelector"]["matchLabels"] for one in spread] == [labels, labels]
    assert BASE["PodDisruptionBudget", name]["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}


def test_flower_which_does_not_end_while_the_broker_is_away_is_not_waited_for():
    assert get_pod("flower")["terminationGracePeriodSeconds"] == 10


@pytest.mark.parametrize(("name", "flags"), [("inbox", FLAGS), ("broker", BROKER_FLAGS)])
def test_each_valkey_keeps_what_the_embedded_one_keeps(name, flags):
    given = dict(line.split(" ", 1) for line in BASE["ConfigMap", name]["data"]["valkey.conf"].splitlines())
    names = ["appendonly", "maxmemory-policy", "save", *(["appendfsync"] if name == "inbox" else [])]

    assert {one: given.get(one) for one in names} == {one: flags[one] for one in names}


def test_only_the_processes_reach_the_valkeys():
    for name in VALKEYS:
        (rule,) = BASE["NetworkPolicy", name]["spec"]["ingress"]
        (asked,) = rule["from"][0]["podSelector"]["matchExpressions"]

        assert set(asked["values"]) == PROCESSES
