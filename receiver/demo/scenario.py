"""Plays the demo: connects the sandbox store to the sandbox Customer.io, lets it live, waits, and compares."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Collection, Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import CratewireError
from pipeline.reconciliation.collections import OBSERVABLE_EVENTS
from receiver.demo.processes import DemoInstallation, DemoProcesses

_TIMEOUT_S = 60
_MIN_ERROR_STATUS = 400


def call_sandbox(url: str, body: Any = None, *, user: tuple[str, str] | None = None) -> Any:
    """GET, or POST if there is a body. Raises CratewireError for anything but a success with JSON."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    headers = {"Accept": "application/json", "Content-Type": "application/json", **_build_basic_auth(user)}
    payload = None if body is None else json.dumps(body)
    try:
        connection.request("GET" if body is None else "POST", place.path, payload, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status >= _MIN_ERROR_STATUS:
            raise CratewireError(f"{place.path} answered {response.status}")
        return json.loads(text) if text.strip() else None
    except OSError as error:
        raise CratewireError(f"{place.path} could not be asked: {type(error).__name__}") from error
    finally:
        connection.close()


def _build_basic_auth(user: tuple[str, str] | None) -> Mapping[str, str]:
    return {} if user is None else {"Authorization": "Basic " + base64.b64encode(":".join(user).encode()).decode()}


def add_customers(installation: DemoInstallation, hooks: int) -> list[int]:
    """Enough of them with a subscription that the life to come needs no others; their ids."""
    count = 2 * max(8, hooks // 40)
    ids: list[int] = call_sandbox(f"{installation.store['url']}/_sandbox/customers", {"count": count})["ids"]
    return ids


def count_backfilled(installation: DemoInstallation, customers: Collection[int]) -> int:
    """How many of them have a profile at Customer.io."""
    people = call_sandbox(f"{installation.customerio['url']}/_sandbox/people")
    return len({one["id"] for one in people} & {f"cj_{number}" for number in customers})


# What real stores and networks do to hooks, in the proportions of a bad day.
FAULT_SHARES = {
    "form_b": 0.1,
    "form_c": 0.05,
    "form_d": 0.05,
    "duplicate": 0.1,
    "delay": 0.05,
    "broken": 0.02,
    "epoch_ms": 0.15,
    "links": 0.1,
    "integer_status": 0.1,
    "test": 0.03,
    "missing_recipient": 0.1,
}
LOST_SHARE, MIN_LOST_HOOKS = 0.01, 5  # a share of the hooks, but in a short life about so many
COMPARED_KEYS = ("people", "gift_recipients", "delivered", "missing", "unexpected", "twice", "out_of_order")
_POLL_INTERVAL_S = 0.25
_STALL_TIMEOUT_S = 120  # without any progress the demo gives up and says so

OnProgress = Callable[[str, int, int], None]  # what, done, of how many


def run_scenario(
    processes: DemoProcesses, installation: DemoInstallation, hooks: int, seed: int, progress: OnProgress
) -> dict[str, Any]:
    """The numbers `cratewire demo --json` prints, with the comparison under "comparison"."""
    started = time.monotonic()
    customers = add_customers(installation, hooks)
    _connect(processes, installation)
    _reconcile(processes)  # what is there now is from before
    life = _simulate_store(installation, hooks, seed, progress)
    _wait_for_backfill(processes, progress)
    _wait_until_delivered(processes, progress)
    recovered = _reconcile(processes)
    status = _wait_until_delivered(processes, progress)
    compared = _compare(processes, installation)
    events = status["events"]
    return {
        "sent": life["posts"],
        "accepted": life["accepted"],
        "events": events["total"],
        "customers": len(customers),
        "backfilled": count_backfilled(installation, customers),
        "hooks_lost_by_store": _count_lost(installation),
        "recovered": recovered,
        "duplicates_dropped": events["duplicates"],
        "quarantined": events["dead_hooks"],
        **{key: compared[key] for key in COMPARED_KEYS},
        "seconds": round(time.monotonic() - started, 1),
        "comparison": compared,
    }


def _connect(processes: DemoProcesses, installation: DemoInstallation) -> None:
    """What a merchant does: one command, which registers the hooks as well."""
    keys = ("--site-id", installation.customerio["site_id"], "--api-key", installation.customerio["api_key"])
    where = ("--region", installation.customerio["region"], "--base-url", installation.customerio["url"])
    store = ("--client-id", installation.store["client_id"], "--client-secret", installation.store["client_secret"])
    api = ("--cratejoy-url", f"{installation.store['url']}/v1/")
    typed = ("connect", "--store", "demo", "--platform", "customerio", *keys, *where, *store, *api, "--json")
    if not _run_json_command(processes, "receiver.cli", *typed)["registered"]:
        raise CratewireError("not all hooks could be registered with the sandbox store")


def _reconcile(processes: DemoProcesses) -> int:
    """How many happenings no hook had told of."""
    found: dict[str, int] = _run_json_command(
        processes, "receiver.cli", "reconcile", "run", "--store", "demo", "--json"
    )["recovered"]
    return sum(found.values())


def _count_lost(installation: DemoInstallation) -> int:
    truth = call_sandbox(f"{installation.store['url']}/_sandbox/truth")
    return sum(one["lost"] for one in truth["happenings"])


def _simulate_store(installation: DemoInstallation, hooks: int, seed: int, progress: OnProgress) -> dict[str, int]:
    url = f"{installation.store['url']}/_sandbox/life"
    call_sandbox(
        url, {"hooks": hooks, "seed": seed, "mix": {**FAULT_SHARES, "lose": max(LOST_SHARE, MIN_LOST_HOOKS / hooks)}}
    )
    watch = _StallDetector()
    while True:
        life: dict[str, int] = call_sandbox(url)
        progress("the store lives", life["told"], hooks)
        if not life["running"]:
            return life
        watch.observe(life["posts"])
        time.sleep(_POLL_INTERVAL_S)


def _wait_for_backfill(processes: DemoProcesses, progress: OnProgress) -> None:
    """Wait until the customers from before have been read, which began with the connection."""
    watch = _StallDetector()
    while True:
        found = _run_json_command(processes, "receiver.cli", "backfill", "status", "--store", "demo", "--json")
        progress("customers are read", found["customers"], found["customers_total"] or 0)
        if found["ended_at"] is not None:
            return
        watch.observe(found["pages"])
        time.sleep(_POLL_INTERVAL_S)


def _wait_until_delivered(processes: DemoProcesses, progress: OnProgress) -> dict[str, Any]:
    """Wait until nothing waits: the inbox is empty and every delivery has left."""
    watch = _StallDetector()
    while True:
        status = _run_json_command(processes, "receiver.cli", "status", "--json")
        left = status["inbox"]["depth"] + status["pending"]
        progress("messages arrive", status["sent"], status["sent"] + left)
        if not left:
            return status
        watch.observe((left, status["sent"]))
        time.sleep(_POLL_INTERVAL_S)


def _compare(processes: DemoProcesses, installation: DemoInstallation) -> dict[str, Any]:
    places = ("--store", installation.store["url"], "--customerio", installation.customerio["url"])
    return _run_json_command(
        processes, "sandbox.compare", *places, "--repaired", ",".join(OBSERVABLE_EVENTS), "--json", may_fail=True
    )


def _run_json_command(processes: DemoProcesses, *command: str, may_fail: bool = False) -> dict[str, Any]:
    done = processes.ask(*command)
    if done.returncode and not (may_fail and done.stdout.strip()):
        raise CratewireError(f"{' '.join(command[:2])} failed:\n{done.stderr.strip()[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


class _StallDetector:
    """Gives up when nothing has moved for too long."""

    def __init__(self) -> None:
        self._last: Any = None
        self._since = time.monotonic()

    def observe(self, state: Any) -> None:
        """Note a state. Raises CratewireError if it has been the same for too long."""
        if state != self._last:
            self._last, self._since = state, time.monotonic()
        elif time.monotonic() - self._since > _STALL_TIMEOUT_S:
            raise CratewireError(f"nothing has moved for {_STALL_TIMEOUT_S} s: see the logs, or run with --keep")
