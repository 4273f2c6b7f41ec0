"""Plays the demo: connects the sandbox store to the sandbox Customer.io, lets it live, waits, and compares."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from pipeline.errors import CratewireError
from pipeline.reconciliation.asking import EVENTS
from receiver.demo.ask import ask
from receiver.demo.before import arrived, populate
from receiver.demo.stage import Stage, Troupe

# What real stores and networks do to hooks, in the proportions of a bad day.
MIX = {
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
LOST, LEAST_LOST = 0.01, 5  # a share of the hooks, but in a short life about so many
COMPARED = ("people", "gift_recipients", "delivered", "missing", "unexpected", "twice", "out_of_order")
_POLL_SECONDS = 0.25
_STALLED_SECONDS = 120  # without any progress the demo gives up and says so

Progress = Callable[[str, int, int], None]  # what, done, of how many


def play(troupe: Troupe, stage: Stage, hooks: int, seed: int, progress: Progress) -> dict[str, Any]:
    """The numbers `cratewire demo --json` prints, with the comparison under "comparison"."""
    started = time.monotonic()
    customers = populate(stage, hooks)
    _connect(troupe, stage)
    _reconcile(troupe)  # what is there now is from before
    life = _live(stage, hooks, seed, progress)
    _read_to_the_end(troupe, progress)
    _settle(troupe, progress)
    recovered = _reconcile(troupe)
    status = _settle(troupe, progress)
    compared = _compare(troupe, stage)
    events = status["events"]
    return {
        "sent": life["posts"],
        "accepted": life["accepted"],
        "events": events["total"],
        "customers": len(customers),
        "backfilled": arrived(stage, customers),
        "hooks_lost_by_store": _lost(stage),
        "recovered": recovered,
        "duplicates_dropped": events["duplicates"],
        "quarantined": events["dead_hooks"],
        **{key: compared[key] for key in COMPARED},
        "seconds": round(time.monotonic() - started, 1),
        "comparison": compared,
    }


def _connect(troupe: Troupe, stage: Stage) -> None:
    """What a merchant does: one command, which registers the hooks as well."""
    keys = ("--site-id", stage.customerio["site_id"], "--api-key", stage.customerio["api_key"])
    where = ("--region", stage.customerio["region"], "--base-url", stage.customerio["url"])
    store = ("--client-id", stage.store["client_id"], "--client-secret", stage.store["client_secret"])
    api = ("--cratejoy-url", f"{stage.store['url']}/v1/")
    typed = ("connect", "--store", "demo", "--platform", "customerio", *keys, *where, *store, *api, "--json")
    if not _json_of(troupe, "receiver.cli", *typed)["registered"]:
        raise CratewireError("not all hooks could be registered with the sandbox store")


def _reconcile(troupe: Troupe) -> int:
    """How many happenings no hook had told of."""
    found: dict[str, int] = _json_of(troupe, "receiver.cli", "reconcile", "run", "--store", "demo", "--json")[
        "recovered"
    ]
    return sum(found.values())


def _lost(stage: Stage) -> int:
    truth = ask(f"{stage.store['url']}/_sandbox/truth")
    return sum(one["lost"] for one in truth["happenings"])


def _live(stage: Stage, hooks: int, seed: int, progress: Progress) -> dict[str, int]:
    url = f"{stage.store['url']}/_sandbox/life"
    ask(url, {"hooks": hooks, "seed": seed, "mix": {**MIX, "lose": max(LOST, LEAST_LOST / hooks)}})
    watch = _Watch()
    while True:
        life: dict[str, int] = ask(url)
        progress("the store lives", life["told"], hooks)
        if not life["running"]:
            return life
        watch.saw(life["posts"])
        time.sleep(_POLL_SECONDS)


def _read_to_the_end(troupe: Troupe, progress: Progress) -> None:
    """Wait until the customers from before have been read, which began with the connection."""
    watch = _Watch()
    while True:
        found = _json_of(troupe, "receiver.cli", "backfill", "status", "--store", "demo", "--json")
        progress("customers are read", found["customers"], found["customers_total"] or 0)
        if found["ended_at"] is not None:
            return
        watch.saw(found["pages"])
        time.sleep(_POLL_SECONDS)


def _settle(troupe: Troupe, progress: Progress) -> dict[str, Any]:
    """Wait until nothing waits: the inbox is empty and every delivery has left."""
    watch = _Watch()
    while True:
        status = _json_of(troupe, "receiver.cli", "status", "--json")
        left = status["inbox"]["depth"] + status["pending"]
        progress("messages arrive", status["sent"], status["sent"] + left)
        if not left:
            return status
        watch.saw((left, status["sent"]))
        time.sleep(_POLL_SECONDS)


def _compare(troupe: Troupe, stage: Stage) -> dict[str, Any]:
    places = ("--store", stage.store["url"], "--customerio", stage.customerio["url"])
    return _json_of(troupe, "sandbox.compare", *places, "--repaired", ",".join(EVENTS), "--json", may_fail=True)


def _json_of(troupe: Troupe, *command: str, may_fail: bool = False) -> dict[str, Any]:
    done = troupe.ask(*command)
    if done.returncode and not (may_fail and done.stdout.strip()):
        raise CratewireError(f"{' '.join(command[:2])} failed:\n{done.stderr.strip()[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


class _Watch:
    """Gives up when nothing has moved for too long."""

    def __init__(self) -> None:
        self._last: Any = None
        self._since = time.monotonic()

    def saw(self, state: Any) -> None:
        """Note a state. Raises CratewireError if it has been the same for too long."""
        if state != self._last:
            self._last, self._since = state, time.monotonic()
        elif time.monotonic() - self._since > _STALLED_SECONDS:
            raise CratewireError(f"nothing has moved for {_STALLED_SECONDS} s: see the logs, or run with --keep")
