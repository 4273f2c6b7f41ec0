"""`cratewire demo --tour`: leads a person through the form and the pages, each step once the one before it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pipeline.core.errors import CratewireError
from pipeline.destinations import DESTINATIONS
from receiver.demo.calls import call_sandbox, run_json_command
from receiver.demo.log_in import LogIn, make_log_in
from receiver.demo.processes import DemoInstallation, DemoProcesses

_CUSTOMERS = 12
_HOOKS = 60
_POLL_INTERVAL_S = 0.5

Say = Callable[[str], object]


def run_tour(processes: DemoProcesses, installation: DemoInstallation, seed: int, say: Say) -> None:
    """Say each step, and wait until the reader has done it. Raises CratewireError if a step cannot be taken."""
    if installation.platform.documents:
        raise CratewireError(f"the tour does not know {installation.platform.title}: its document is no form field")
    sandbox = f"{installation.store['url']}/_sandbox"
    call_sandbox(f"{sandbox}/customers", {"count": _CUSTOMERS})
    log_in = make_log_in(processes, installation)
    say(describe_form(installation, log_in))
    _wait_until(lambda: bool(_ask(processes, "connections", "list")))
    call_sandbox(f"{sandbox}/life", {"hooks": _HOOKS, "seed": seed})
    say(describe_shop(installation))
    _wait_until(lambda: _has_everything_left(_ask(processes, "status")))
    say(describe_people(installation))


def describe_form(installation: DemoInstallation, log_in: LogIn) -> str:
    """The first step: the form, with what the sandboxes expect in it."""
    fields = "\n".join(f"    {label}: {value}" for label, value in list_form_values(installation))
    return (
        f"1 of 3: connect a shop\n"
        f"Open {installation.web}/connect and log in as {log_in.email} with the password {log_in.password}\n"
        f"Fill in:\n{fields}\n"
        "For reading your customers choose Now. Leave the rest as it is, and press Connect.\n"
        "It asks where orders with a source come from: choose the storefront, and press Connect again."
    )


def describe_shop(installation: DemoInstallation) -> str:
    """The second step: what the shop's page shows while the shop sells."""
    return (
        f"2 of 3: watch it sell\n"
        f"The shop has begun to sell. Its page shows each event as it comes: {installation.web}/stores/demo\n"
        f"What is in a hook, and what {installation.platform.title} got of it, is one click away: open an event."
    )


def describe_people(installation: DemoInstallation) -> str:
    """The last step: people, and where to look on."""
    return (
        f"3 of 3: look at a person\n"
        f"Everything has left. {installation.web}/people lists the people; one page has all that is known of a person, "
        "since when, and what was sent.\n"
        f"The same people at the platform: {installation.platform_keys['url']}{installation.platform.people_page}\n"
        f"In a terminal: {installation.command} status"
    )


def list_form_values(installation: DemoInstallation) -> list[tuple[str, str]]:
    """What is typed into the form: the label of each field, and its value."""
    store, platform = installation.store, installation.platform
    of_platform = [
        (field.label, installation.platform_keys[platform.fields[field.key]])
        for field in DESTINATIONS[platform.name].fields
        if field.key in platform.fields and not field.choices
    ]
    return [
        ("Shop name", "demo"),
        ("Client ID", store["client_id"]),
        ("Client Secret", store["client_secret"]),
        ("Address of the Merchant API", f"{store['url']}/v1/"),
        *of_platform,
    ]


def _has_everything_left(status: Any) -> bool:
    return status["events"]["total"] > 0 and all(one["pending"] + one["sending"] == 0 for one in status["connections"])


def _ask(processes: DemoProcesses, *command: str) -> Any:
    return run_json_command(processes, "receiver.cli", *command, "--json", may_fail=True)


def _wait_until(is_done: Callable[[], bool]) -> None:
    """Wait for a person, who may take any time."""
    while not is_done():
        time.sleep(_POLL_INTERVAL_S)
