"""What the autoscalers look at exists, and what they change is there to be changed."""

from __future__ import annotations

import pytest

from tests.deploy.kubernetes import BASE, FOLDER, WORKLOADS, read_documents, read_example_secrets, read_kustomization
from tests.deploy.test_figures import EXISTING, names_in

SCALED = read_documents("keda")["ScaledObject", "worker"]["spec"]
SCALED_WEB = BASE["HorizontalPodAutoscaler", "web"]["spec"]
# Of KEDA 2, as its reference lists them: a cluster without KEDA's own schema accepts any.
FIELDS = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "fallback"}
FIELDS |= {"advanced", "triggers", "idleReplicaCount"}
OF_PROMETHEUS = {"serverAddress", "query", "threshold", "activationThreshold", "ignoreNullValues", "authModes"}


def test_workers_are_scaled_by_the_age_of_the_oldest_hook():
    first, *_ = [trigger["metadata"]["query"] for trigger in SCALED["triggers"]]

    assert first == "max(cratewire_inbox_oldest_seconds)"


@pytest.mark.parametrize("trigger", SCALED["triggers"], ids=lambda one: one["name"])
def test_a_trigger_asks_for_a_series_that_exists(trigger):
    names = names_in(trigger["metadata"]["query"])

    assert len(names) == 1
    assert names <= EXISTING.keys()


@pytest.mark.parametrize("trigger", SCALED["triggers"], ids=lambda one: one["name"])
def test_a_trigger_takes_one_of_the_equal_values_that_each_web_shows(trigger):
    assert trigger["metadata"]["query"].startswith("max(")


@pytest.mark.parametrize("trigger", SCALED["triggers"], ids=lambda one: one["name"])
def test_a_trigger_is_one_that_keda_knows(trigger):
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"].keys() <= OF_PROMETHEUS
    assert all(isinstance(value, str) for value in trigger["metadata"].values())  # KEDA refuses numbers
    assert float(trigger["metadata"]["threshold"]) > 0


def test_the_scaled_object_has_no_field_that_keda_does_not_know():
    assert SCALED.keys() <= FIELDS


@pytest.mark.parametrize("target", [SCALED["scaleTargetRef"], SCALED_WEB["scaleTargetRef"]])
def test_what_is_scaled_exists(target):
    assert BASE[target["kind"], target["name"]]["apiVersion"] == target["apiVersion"]


def test_no_manifest_sets_the_number_that_an_autoscaler_sets():
    (patch,) = read_kustomization("keda")["patches"]

    assert "replicas" not in WORKLOADS["web"]["spec"]
    assert patch["target"] == {"kind": SCALED["scaleTargetRef"]["kind"], "name": SCALED["scaleTargetRef"]["name"]}
    assert "path: /spec/replicas" in patch["patch"]


def test_no_autoscaler_stops_the_last_one():
    assert SCALED["minReplicaCount"] >= 2
    assert SCALED_WEB["minReplicas"] >= 2


def test_the_example_of_the_secrets_says_how_to_create_them():
    assert "--from-env-file=secrets.env" in (FOLDER / "secrets.env.example").read_text()
    assert read_example_secrets()
