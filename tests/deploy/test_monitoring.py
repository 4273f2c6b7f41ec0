"""Prometheus and Grafana of the compose file find what they are to show."""

from __future__ import annotations

import yaml

from tests.deploy.shell import ROOT
from tests.deploy.test_compose import SERVICES

PROMETHEUS = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
PROVISIONING = ROOT / "deploy/grafana/provisioning"


def test_prometheus_asks_web_on_its_port():
    (job,) = PROMETHEUS["scrape_configs"]
    (group,) = job["static_configs"]

    assert group["targets"] == ["web:8080"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8080:8080"]


def test_prometheus_shows_the_token_that_web_wants():
    (job,) = PROMETHEUS["scrape_configs"]
    environment = SERVICES["prometheus"]["environment"]
    (line,) = SERVICES["prometheus"]["command"]
    path = job["authorization"]["credentials_file"]

    assert environment == {"METRICS_TOKEN": SERVICES["web"]["environment"]["CRATEWIRE_METRICS_TOKEN"]}
    assert f'echo "$$METRICS_TOKEN" > {path} && exec /bin/prometheus' in line
    assert any(mount.split(":")[0] == path.rpartition("/")[0] for mount in SERVICES["prometheus"]["tmpfs"])


def test_prometheus_reads_the_file_that_is_mounted_for_it():
    (line,) = SERVICES["prometheus"]["command"]
    (mounted,) = [mount.split(":")[1] for mount in SERVICES["prometheus"]["volumes"] if mount.startswith("./")]

    assert f"--config.file={mounted}/prometheus.yml" in line


def test_prometheus_reads_every_file_of_rules():
    folder = ROOT / "deploy/prometheus"
    found = {path for rules in PROMETHEUS["rule_files"] for path in folder.glob(rules)}

    assert found == {path for path in folder.iterdir() if path.name != "prometheus.yml"}


def test_prometheus_and_grafana_share_a_network_with_web():
    assert {name for name, service in SERVICES.items() if "watch" in service["networks"]} == {
        "web",
        "prometheus",
        "grafana",
    }


def test_grafana_reads_from_prometheus():
    (source,) = yaml.safe_load((PROVISIONING / "datasources/prometheus.yml").read_text())["datasources"]

    assert source["url"] == "http://prometheus:9090"


def test_grafana_looks_for_dashboards_in_our_folder():
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards/cratewire.yml").read_text())["providers"]
    places = dict(mount.split(":")[1::-1] for mount in SERVICES["grafana"]["volumes"])

    assert places[provider["options"]["path"]] == "./deploy/grafana"
