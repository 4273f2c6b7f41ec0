"""A whole run with faults everywhere reveals no name, address, key or token in logs, metrics or flower.

Then a person is erased, and no file of the installation and no platform has them any more.
"""

from __future__ import annotations

import base64
import http.client
import json
import sqlite3
import subprocess
import threading
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from celery import Celery

from pipeline.ledger.engine import make_engine
from pipeline.ledger.vacuum import vacuum_all
from pipeline.settings import Settings
from receiver.demo.processes import DemoProcesses, start_demo
from receiver.demo.scenario import call_sandbox, run_scenario
from tasks.config import celery_config
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CANARY = "canary.bird@example.com"
GIVEN_UP = "the database is at fault"
QUOTES = "sqlalchemy.exc.ProgrammingError"  # an error with what the statement was given in its text
FAULTS = (
    {"mode": "partial", "indexes": [0], "n": 2},
    {"mode": "status", "code": 400, "n": 1},
    {"mode": "status", "code": 503, "n": 1},
    {"mode": "429", "headers": "retry-after", "retry_after": 1, "n": 1},
    {"mode": "html", "n": 1},
    {"mode": "truncated-json", "n": 1},
    {"mode": "reset", "n": 1},
)


@pytest.fixture(scope="module")
def outputs_and_secrets(tmp_path_factory):
    """Everything that the run wrote, and everything that must not be in it."""
    processes = DemoProcesses(tmp_path_factory.mktemp("run"), {"CRATEWIRE_LOG_LEVEL": "DEBUG"})
    try:
        stage = start_demo(processes, seed=5)
        for fault in FAULTS:
            call_sandbox(f"{stage.platform_keys['url']}/_sandbox/faults", {"path": "/api/v2/batch", **fault})
        log = processes.folder / "cratewire.log"
        with locked(stage.data, log) as lock:
            run_scenario(processes, stage, 120, 5, lambda *_: lock.set())  # once the store lives
        provoke(stage.data, log)
        said = {
            "logs": log.read_text(),
            "figures": figures(stage),
            "flower": tasks_in_flower(stage) + workers_in_flower(stage),
        }
        secrets = secrets_of(stage, processes)
        left = erase_one(stage, log)
    finally:
        processes.stop()

    return said, secrets, left


@contextmanager
def locked(data, log):
    """The ledger cannot be written in the middle of it all, until a task has said so."""
    wanted = threading.Event()

    def lock():
        wanted.wait()
        with closing(sqlite3.connect(data / "cratewire.db", timeout=60, isolation_level=None)) as ledger:
            ledger.execute("BEGIN IMMEDIATE")
            wait_until(lambda: GIVEN_UP in log.read_text(), interval_s=0.2)

    thread = threading.Thread(target=lock)
    thread.start()
    try:
        yield wanted
    finally:
        wanted.set()
        thread.join()


def provoke(data, log):
    """Bad messages: an unknown task, and one whose error quotes its arguments."""
    config = celery_config(Settings.from_environment({"CRATEWIRE_DATA_DIR": str(data)}))
    with Celery("stranger", set_as_current=False) as stranger:
        stranger.conf.update(config)
        stranger.send_task("hooks.from_the_future", args=[CANARY], queue="hooks", argsrepr="(…)")
        stranger.send_task("silence.send_canary", args=[{"to": CANARY}], queue="deliveries", argsrepr="(…)")
    wait_until(
        lambda: "hooks.from_the_future" in log.read_text() and QUOTES in log.read_text(),
        lambda: log.read_text()[-3000:],
        interval_s=0.2,
    )


def erase_one(stage, log):
    """Erase a person with orders; what is left of them, by place. Says how many places had them before."""
    people = call_sandbox(f"{stage.store['url']}/_sandbox/truth")["people"]
    names = [one["name"] for one in people]
    known = {profile["email"] for profile in call_sandbox(f"{stage.platform_keys['url']}/_sandbox/people")}
    person = next(one for one in people if one["email"] in known and names.count(one["name"]) == 1)
    texts = [person["email"].lower().encode(), person["name"].lower().encode()]
    found = {"before": find_in_files(stage.data, log, texts)}
    erase = ("people", "erase", person["email"], "--store", "demo", "--suppress", "--at-destinations", "--yes")
    subprocess.run([stage.command, *erase], check=True, capture_output=True)
    wait_until(lambda: set(list_states(stage)) == {"done"}, interval_s=0.5)
    engine = make_engine(f"sqlite:///{stage.data}/cratewire.db")
    wait_until(
        lambda: vacuum_all(engine) and not find_in_files(stage.data, log, texts),
        lambda: f"the log was not emptied, or these have the person: {find_in_files(stage.data, log, texts)}",
        interval_s=0.5,
    )
    engine.dispose()
    profiles = call_sandbox(f"{stage.platform_keys['url']}/_sandbox/people")
    platform = [profile for profile in profiles if profile["email"] == person["email"]]
    return found | {"files": find_in_files(stage.data, log, texts), "platform": platform}


def list_states(stage):
    shown = subprocess.run(
        [stage.command, "people", "regulations", "list", "--json"], check=True, capture_output=True
    ).stdout
    return [place["state"] for row in json.loads(shown) for place in row["destinations"]]


def find_in_files(data, log, texts):
    """The files that have one of the texts; Redis's and the ledger's among them."""
    files = [path for path in (log, *sorted(data.rglob("*"))) if path.is_file()]
    return sorted({path.name for path in files for text in texts if text in read_bytes(path).lower()})


def read_bytes(path):
    """The file's bytes; none of one that has just been replaced."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def figures(stage):
    token = (stage.data / "metrics_token").read_text().strip()
    return get(stage.web, "/metrics", f"Bearer {token}")


def tasks_in_flower(stage):
    return get(
        stage.flower,
        "/tasks/datatable?draw=1&start=0&length=1000&order[0][column]=0&order[0][dir]=asc"
        "&columns[0][data]=name&search[value]=",
        flowers_password(stage),
    )


def flowers_password(stage):
    password = (stage.data / "flower_password").read_text().strip()
    return f"Basic {base64.b64encode(f'cratewire:{password}'.encode()).decode()}"


def workers_in_flower(stage):
    """With the settings they run with."""
    return get(stage.flower, "/api/workers?refresh=1", flowers_password(stage))


def get(url, path, authorization):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": authorization})
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, body
        return body
    finally:
        connection.close()


def secrets_of(stage, processes):
    """Kind -> the values that must not appear."""
    people = call_sandbox(f"{stage.store['url']}/_sandbox/truth")["people"]
    hooks = call_sandbox(
        f"{stage.store['url']}/v1/hooks/?limit=100", user=(stage.store["client_id"], stage.store["client_secret"])
    )
    valkey = json.loads((stage.data / "valkey.json").read_text())["password"]
    kept = [
        valkey,
        *((stage.data / name).read_text().strip() for name in ("secret_key", "flower_password", "metrics_token")),
    ]
    return {
        "an address": [CANARY, *(one["email"] for one in people if one["email"])],
        "a name": [one["name"] for one in people if len(one["name"] or "") > 5],
        "a last name": [one["last_name"] for one in people if len(one["last_name"] or "") > 5],
        "a key": [stage.platform_keys["api_key"], stage.store["client_secret"], basic_of(stage), *kept],
        "a token": sorted({urlsplit(hook["target"]).path.split("/")[3] for hook in hooks["results"]}),
    }


def basic_of(stage):
    pair = f"{stage.platform_keys['site_id']}:{stage.platform_keys['api_key']}"
    return base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("kind", ["an address", "a name", "a last name", "a key", "a token"])
@pytest.mark.parametrize("where", ["logs", "figures", "flower"])
def test_no_output_contains(outputs_and_secrets, where, kind):
    said, secrets, _ = outputs_and_secrets
    forms = {
        form
        for secret in secrets[kind]
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret.lower())[1:-1])
    }

    assert forms
    assert sorted(form for form in forms if form in said[where]) == []


def test_the_run_produced_output(outputs_and_secrets):
    said, _, _ = outputs_and_secrets

    assert "batch recorded" in said["logs"]
    assert "a task failed" in said["logs"]
    assert GIVEN_UP in said["logs"]
    assert QUOTES in said["logs"]
    assert "hooks.fan_out" in said["flower"]
    assert 'cratewire_recorded_hooks_total{event="order_new",outcome="forwarded"}' in said["figures"]


def test_no_file_and_no_platform_has_an_erased_person(outputs_and_secrets):
    _, _, left = outputs_and_secrets

    assert "cratewire.db" in left["before"]
    assert (left["files"], left["platform"]) == ([], [])
