"""The dashboard and the alerts ask only for figures that exist, by labels they have, and leave none out."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from pipeline.infra.metrics import REGISTRY
from pipeline.infra.metrics.fleet import build_families
from receiver.metrics.collect import GAUGES
from tests.deploy.shell import ROOT

DASHBOARD = json.loads((ROOT / "deploy/grafana/cratewire.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/cratewire.rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
ASKED = {f"panel: {panel['title']}": target["expr"] for panel in PANELS for target in panel["targets"]} | {
    f"alert: {rule['alert']}": rule["expr"] for rule in RULES
}
PROMETHEUS_OWN = {"up": {"job", "instance"}}


def series():
    """Every series a scrape shows -> its labels."""
    found = {name: set(labels) for name, (_, labels) in GAUGES.items()}
    declared = {collector: set(collector._labelnames) for collector in REGISTRY._collector_to_names}
    for family in build_families({}):
        (labels,) = [labels for collector, labels in declared.items() if collector._name == family.name]
        if family.type == "counter":
            found[f"{family.name}_total"] = labels
        else:
            found |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
            found[f"{family.name}_bucket"] = labels | {"le"}
    return found


EXISTING = series() | PROMETHEUS_OWN


def names_in(expression):
    """The series an expression asks for."""
    bare = re.sub(r'\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(by|without) \([^)]*\)', "", expression)
    words = set(re.findall(r"\b[a-z_]+\b(?!\s*\()", bare))
    return words - {"and", "or", "unless", "vector", "offset"}


def labels_in(expression):
    """The labels an expression selects or groups by."""
    matched = re.findall(r"[{,]\s*([a-z_]+)\s*[=!]", expression)
    grouped = [name for names in re.findall(r"\bby \(([^)]*)\)", expression) for name in names.split(",")]
    return {name.strip() for name in (*matched, *grouped)}


@pytest.mark.parametrize("where", ASKED)
def test_only_series_that_exist_are_asked_for(where):
    names = names_in(ASKED[where])

    assert names
    assert names - set(EXISTING) == set()


@pytest.mark.parametrize("where", ASKED)
def test_only_labels_they_have_are_asked_for(where):
    having = set().union(*(EXISTING[name] for name in names_in(ASKED[where])))

    assert labels_in(ASKED[where]) - having == set()


def test_every_figure_has_its_place_on_the_dashboard():
    shown = {name for panel in PANELS for target in panel["targets"] for name in names_in(target["expr"])}
    parts = re.compile(r"_(bucket|sum|count)$")

    assert {parts.sub("", name) for name in EXISTING} - {parts.sub("", name) for name in shown} == set(PROMETHEUS_OWN)


def test_no_label_identifies_a_person():
    closed = {
        "way",
        "kind",
        "result",
        "link",
        "stage",
        "event",
        "outcome",
        "reason",
        "cause",
        "state",
        "status",
        "task",
        "part",
        "source",
        "code",
        "le",
    }

    assert set().union(*series().values()) == closed | {"connection", "lane", "store", "platform"}


@pytest.mark.parametrize("where", ASKED)
def test_figures_that_every_web_process_shows_are_not_added_up(where):
    """What is not the spool's is the same on all of them."""
    inside = re.search(r"sum(?: by \([^)]*\))? \(?(?:rate|increase)?\(?cratewire_(?!spool)", ASKED[where])

    assert inside is None


def test_no_silence_alert_fires_before_a_day_of_history():
    """An increase over a day is 0 from the first minute on."""
    (expression,) = [rule["expr"] for rule in RULES if "== 0" in rule["expr"] and "[1d]" in rule["expr"]]

    assert " and " in expression
    assert " offset 1d)" in expression


def test_no_two_panels_have_one_id():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description"}
