"""The sample bodies under `tests/fixtures/hooks`, one file `<event>__<variant>.json` each; all people are invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "fixtures" / "hooks"

SCHEMA_OF = {
    "address_updated": "customer",
    "billing_updated": "customer",
    "checkout_failed": "checkout_hook",
    "customer_new": "customer",
    "design_updated": "design_hook",
    "inventory_updated": "inventory_hook",
    "order_new": "order",
    "order_updated": "order",
    "shipment_address_updated": "shipment",
    "shipment_cancelled": "shipment",
    "shipment_shipped": "shipment",
    "subscription_cancelled": "subscription",
    "subscription_new": "subscription",
    "subscription_renew_failed": "subscription",
    "subscription_renewed": "subscription",
    "subscription_updated": "subscription",
    "transaction_new": "transaction_hook",
}
NAMES = sorted(path.stem for path in _FOLDER.glob("*.json"))


def sample(name: str) -> dict[str, Any]:
    return dict(json.loads((_FOLDER / f"{name}.json").read_text("utf-8")))


def schema_of(name: str) -> str:
    return SCHEMA_OF[name.partition("__")[0]]
