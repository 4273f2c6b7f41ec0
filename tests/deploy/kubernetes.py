"""The manifests of deploy/kubernetes, by kind and name, and what they say of processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.shell import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
FOLDERS = ("base", "keda", "plan")  # each is a kustomization
CUSTOM = {"kustomize.config.k8s.io/v1beta1", "keda.sh/v1alpha1"}  # kinds that a cluster has not by itself


def read_documents(folder: str) -> dict[tuple[str, str], Any]:
    """The documents of a folder's files, by kind and name, without its kustomization."""
    paths = sorted(path for path in (FOLDER / folder).glob("*.yaml") if path.name != "kustomization.yaml")
    documents = [one for path in paths for one in yaml.safe_load_all(path.read_text())]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def read_kustomization(folder: str) -> Any:
    """The kustomization of a folder."""
    return yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())


BASE = read_documents("base")
PLAN = read_documents("plan")
WORKLOADS = {name: one for (kind, name), one in (BASE | PLAN).items() if kind in ("Deployment", "StatefulSet", "Job")}
VALKEYS = ("inbox", "broker")
PROCESSES = WORKLOADS.keys() - set(VALKEYS) - {"migration-plan"}


def get_pod(name: str) -> Any:
    """The specification of a workload's pods."""
    return WORKLOADS[name]["spec"]["template"]["spec"]


def list_containers(name: str) -> list[Any]:
    """The containers of a workload's pods, those included that run before the others."""
    return [*get_pod(name).get("initContainers", []), *get_pod(name)["containers"]]


def list_probes(name: str) -> Iterator[tuple[str, Any]]:
    """The probes of a workload's containers, by their kind."""
    for container in list_containers(name):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in container:
                yield kind, container[kind]


def read_example_secrets() -> dict[str, str]:
    """What is in the example of the Secret."""
    text = (FOLDER / "secrets.env.example").read_text()
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", text))
