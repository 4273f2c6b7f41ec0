"""Celery's command line, for workers of the fulfilment that die at an exact request, or that are wrong on purpose.

A file in `KILLS` names a request and a side of it: "after create cartrover 1". The process that comes there takes the
file away and is gone, as with SIGKILL. `WRONG_FILE` has the name of a wrong release: its rows must not hold.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from celery.bin.celery import main as celery

from pipeline.core.fulfilment import NotFound, Order
from pipeline.fulfilment.rules import confirm as rules
from pipeline.fulfilment.rules.decision.words import Action
from pipeline.fulfilment.steps import calls, confirm
from pipeline.infra.http import client
from pipeline.infra.http.client import HTTPClient, HTTPResponse
from pipeline.settings import read_environment

KILLS, WRONG_FILE = "kills", "wrong-release"  # in the data directory
# Name of a request -> method, part of the URL, part of the body.
REQUESTS: Mapping[str, tuple[str, str, bytes]] = {
    "create cartrover": ("POST", "/cartrover/v1/cart/orders/cartrover", b""),
    "find cartrover": ("GET", "/cartrover/v1/cart/orders/SUB-", b""),
    "cancel cartrover": ("GET", "/cart/orders/wms_cancel/", b""),
    "acknowledge cartrover": ("POST", "/cart/orders/update/", b""),
    "create extensiv_3pl": ("POST", "/3pl/orders", b'"referenceNum"'),
    "find extensiv_3pl": ("GET", "/3pl/orders?", b""),
    "cancel extensiv_3pl": ("POST", "/canceler", b""),
    "create signed_webhook": ("POST", "/generic", b'"order.create"'),
    "find signed_webhook": ("GET", "/generic/orders/", b""),
    "cancel signed_webhook": ("POST", "/generic", b'"order.cancel"'),
    "write": ("PUT", "/v1/shipments/", b""),
}


class DyingClient(HTTPClient):
    """Real calls; the process dies before or after one for which there is a file."""

    def __init__(self, kills: Path) -> None:
        super().__init__()
        self._kills = kills

    def call(self, method: Any, url: str, **how: Any) -> HTTPResponse:
        name = name_request(method, url, how.get("body") or b"")
        self._die_if_wanted("before", name)
        response = super().call(method, url, **how)
        self._die_if_wanted("after", name)
        return response

    def _die_if_wanted(self, point: str, name: str | None) -> None:
        for file in sorted(self._kills.glob(f"{point} {name} *")) if name else ():
            with suppress(FileNotFoundError):  # another process was quicker
                file.unlink()
                os.kill(os.getpid(), signal.SIGKILL)


def name_request(method: str, url: str, body: bytes) -> str | None:
    """The name of a request, if it has one."""
    for name, (verb, part, content) in REQUESTS.items():
        if method == verb and part in url and content in body:
            return name
    return None


def create_blindly() -> None:
    """What is not known to have arrived is sent again, without a look and as another message."""
    ask = vars(calls)["_call"]

    def call(site: Any, row: Any, action: Action, order: Order | None) -> Any:
        if action is Action.LOOK_UP:
            return NotFound()
        other = replace(order, order_ids=(*order.order_ids, secrets.randbelow(10**9))) if order else None
        return ask(site, row, action, other)

    vars(calls)["_call"] = call


def write_blindly() -> None:
    """Tracking is written again although Cratejoy has it."""

    def plan(shipment: Any, *given: Any, **more: Any) -> Any:
        return rules.plan_confirm(replace(shipment, status="unshipped", tracking_number=""), *given, **more)

    vars(confirm)["plan_confirm"] = plan


WRONG_RELEASES: Mapping[str, Callable[[], None]] = {"creates-blindly": create_blindly, "writes-blindly": write_blindly}


def main() -> None:
    """Run Celery with everything prepared; its pool inherits it."""
    data = Path(read_environment(None)["CRATEWIRE_DATA_DIR"])
    if (data / WRONG_FILE).exists():
        WRONG_RELEASES[(data / WRONG_FILE).read_text()]()
    vars(client)["operator_http"] = DyingClient(data / KILLS)
    celery()


if __name__ == "__main__":
    main()
