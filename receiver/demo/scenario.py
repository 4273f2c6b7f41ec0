"""Runs the demo: connects the sandbox store to a platform and a warehouse, simulates orders, waits, and compares."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from pipeline.core.errors import CratewireError
from pipeline.reconciliation.collections import OBSERVABLE_EVENTS
from receiver.demo.boxes import BOX_KEYS, connect_warehouse, finish_boxes, play_boxes, sell_boxes
from receiver.demo.calls import POLL_INTERVAL_S, StallDetector, call_sandbox, run_json_command
from receiver.demo.processes import DemoInstallation, DemoProcesses

# The faults of real stores and networks, with their shares on a bad day.
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
    "asked_recipient": 0.1,
    "text_values": 0.1,
}
# What the store does besides: it sells through the Marketplace, asks for consent, has surveys and variants.
SHOP = {"marketplace_share": 0.4, "asks_consent": True, "surveys": "mixed", "variants": "mixed"}
LOST_SHARE, MIN_LOST_HOOKS = 0.01, 5  # a share of the hooks, and the least number of them in a short simulation
ANSWER_KINDS = (
    "asked_recipients",
    "consents",
    "survey_answers",
    "variants",
)  # what people answered the shop and the platform must have
COMPARED_KEYS = (
    *("people", "gift_recipients", "delivered", "missing", "unexpected", "twice", "out_of_order"),
    *("withheld_people", "leaks"),
    *(f"{kind}_{count}" for kind in ANSWER_KINDS for count in ("due", "arrived")),
)

RECENT_S = 72 * 3600  # an event that happened longer ago starts no automation

ID_PREFIX = "cj_"  # of a customer's id at the platforms that have ids of their own

OnProgress = Callable[[str, int, int], None]  # description, done, total


def open_shop(installation: DemoInstallation) -> None:
    """Set up what the store sells and where, before anyone registers."""
    call_sandbox(f"{installation.store['url']}/_sandbox/switches", SHOP)


def add_customers(installation: DemoInstallation, hooks: int) -> list[int]:
    """Add existing customers, enough of them with subscriptions for the simulation. Returns their ids."""
    count = 2 * max(8, hooks // 40)
    ids: list[int] = call_sandbox(f"{installation.store['url']}/_sandbox/customers", {"count": count})["ids"]
    return ids


def count_backfilled(installation: DemoInstallation, customers: Collection[int]) -> int:
    """Return how many of these customers have a profile at the platform."""
    people = call_sandbox(f"{installation.platform_keys['url']}/_sandbox/people")
    known = {(person["id"] or "").removeprefix(ID_PREFIX) for person in people}
    return len(known & {str(number) for number in customers})


def find_known_customers(installation: DemoInstallation, customers: Collection[int]) -> set[int]:
    """Return those of the customers who are by now known at the storefront."""
    truth = call_sandbox(f"{installation.store['url']}/_sandbox/truth")
    known = {person["customer_id"] for person in truth["people"] if "storefront" in person["known_from"]}
    return known & set(customers)


def run_scenario(
    processes: DemoProcesses,
    installation: DemoInstallation,
    hooks: int,
    seed: int,
    progress: OnProgress,
    on_connected: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Run the scenario. `on_connected` is called once there is a page of the store.

    Returns the figures of `cratewire demo --json`, with the comparisons under "comparison" and "boxes".
    """
    started = time.monotonic()
    open_shop(installation)
    customers = add_customers(installation, hooks)
    boxes = sell_boxes(installation)
    customers += boxes.customers
    _connect(processes, installation)
    on_connected()
    _reconcile(processes)  # marks everything until now as known
    connect_warehouse(processes, installation)
    _start_simulation(installation, hooks, seed)
    progress("sending boxes", 0, 0)
    play_boxes(processes, installation, boxes)
    _wait_for_simulation(installation, hooks, progress)
    _wait_for_backfill(processes, progress)
    progress("confirming boxes", 0, 0)
    compared_boxes = finish_boxes(processes, installation, boxes)
    _wait_until_delivered(processes, progress)
    recovered = _reconcile(processes)
    status = _wait_until_delivered(processes, progress)
    compared = _compare(processes, installation)
    simulation = call_sandbox(f"{installation.store['url']}/_sandbox/life")
    events = status["events"]
    known = find_known_customers(installation, customers)
    return {
        "sent": simulation["posts"],
        "accepted": simulation["accepted"],
        "events": events["total"],
        "customers": len(customers),
        "customers_withheld": len(customers) - len(known),
        "backfilled": count_backfilled(installation, known),
        "hooks_lost_by_store": _count_lost(installation),
        "recovered": recovered,
        "duplicates_dropped": events["duplicates"],
        "quarantined": events["dead_hooks"],
        **{key: compared[key] for key in COMPARED_KEYS},
        **{key: compared_boxes[key] for key in BOX_KEYS},
        "seconds": round(time.monotonic() - started, 1),
        "comparison": compared,
        "boxes": compared_boxes,
        "wrong_automations": _count_wrong_automations(installation),
    }


def _connect(processes: DemoProcesses, installation: DemoInstallation) -> None:
    """Connect the store with one command, as a merchant does; it registers the hooks too."""
    platform = installation.platform.list_options(installation.platform_keys, processes.folder)
    store = ("--client-id", installation.store["client_id"], "--client-secret", installation.store["client_secret"])
    api = ("--cratejoy-url", f"{installation.store['url']}/v1/")
    origins = ("--storefront-source", "1", "--marketplace-source", "2")  # what the sandbox store's numbers mean
    arguments = ("connect", "--store", "demo", *platform, *store, *api, *origins)
    if not run_json_command(processes, "receiver.cli", *arguments, "--json")["registered"]:
        raise CratewireError("not all hooks could be registered with the sandbox store")


def _reconcile(processes: DemoProcesses) -> int:
    """Reconcile. Returns how many events were recovered."""
    progress_now: dict[str, int] = run_json_command(
        processes, "receiver.cli", "reconcile", "run", "--store", "demo", "--json"
    )["recovered"]
    return sum(progress_now.values())


def _count_lost(installation: DemoInstallation) -> int:
    recorded = call_sandbox(f"{installation.store['url']}/_sandbox/truth")
    return sum(event["lost"] for event in recorded["happenings"])


def _count_wrong_automations(installation: DemoInstallation) -> int:
    """Return how many automations were started by someone's subscription, or by what happened long ago."""
    if not installation.platform.automations_page:
        return 0
    started = call_sandbox(installation.platform_keys["url"] + installation.platform.automations_page)
    return sum(one["kind"] != "event" or one["age_s"] > RECENT_S for one in started)


def _start_simulation(installation: DemoInstallation, hooks: int, seed: int) -> None:
    mix = {**FAULT_SHARES, "lose": max(LOST_SHARE, MIN_LOST_HOOKS / hooks)}
    call_sandbox(f"{installation.store['url']}/_sandbox/life", {"hooks": hooks, "seed": seed, "mix": mix})


def _wait_for_simulation(installation: DemoInstallation, hooks: int, progress: OnProgress) -> None:
    stall_detector = StallDetector()
    while True:
        simulation: dict[str, int] = call_sandbox(f"{installation.store['url']}/_sandbox/life")
        progress("simulating the store", simulation["told"], hooks)
        if not simulation["running"]:
            return
        stall_detector.observe(simulation["posts"])
        time.sleep(POLL_INTERVAL_S)


def _wait_for_backfill(processes: DemoProcesses, progress: OnProgress) -> None:
    """Wait for the end of the backfill, which started with the connection."""
    stall_detector = StallDetector()
    while True:
        progress_now = run_json_command(processes, "receiver.cli", "backfill", "status", "--store", "demo", "--json")
        progress("reading customers", progress_now["customers"], progress_now["customers_total"] or 0)
        if progress_now["ended_at"] is not None:
            return
        stall_detector.observe(progress_now["pages"])
        time.sleep(POLL_INTERVAL_S)


def _wait_until_delivered(processes: DemoProcesses, progress: OnProgress) -> dict[str, Any]:
    """Wait until the inbox is empty, every look-up has its answer and every delivery is sent. Returns the status."""
    stall_detector = StallDetector()
    while True:
        status: dict[str, Any] = run_json_command(processes, "receiver.cli", "status", "--json")
        left = status["inbox"]["depth"] + status["pending"] + status["lookups"]["waiting"]
        progress("delivering messages", status["sent"], status["sent"] + left)
        if not left:
            return status
        stall_detector.observe((left, status["sent"]))
        time.sleep(POLL_INTERVAL_S)


def _compare(processes: DemoProcesses, installation: DemoInstallation) -> dict[str, Any]:
    places = ("--store", installation.store["url"], "--platform", installation.platform_keys["url"])
    check_event = installation.platform.check_event
    check = ("--check-event", check_event) if check_event else ()
    longest = ("--max-answer-bytes", str(installation.platform.max_text_bytes))
    repaired = ("--repaired", ",".join(OBSERVABLE_EVENTS))
    compared: dict[str, Any] = run_json_command(
        processes, "sandbox.compare", *places, *check, *longest, *repaired, "--json", may_fail=True
    )
    return compared
