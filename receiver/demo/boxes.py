"""The warehouse of the demo: boxes of before, a dry run that is accepted, what happens to boxes, and the comparison."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.core.errors import CratewireError
from receiver.demo.calls import POLL_INTERVAL_S, StallDetector, call_sandbox, run_json_command
from receiver.demo.processes import STORE_AHEAD_S, DemoInstallation, DemoProcesses

BOX_KEYS = ("shipments_due", "sent_to_warehouse", "confirmed", "store_emails", "boxes_twice")
GIFT = {"name": "Ada Quill", "email": "ada.quill@example.net", "message": "For the long evenings"}
OTHER_PLACE = {
    "street": "7 Canal Row",
    "unit": "3",
    "city": "Dayton",
    "state": "OH",
    "zip_code": "45402",
    "country": "US",
}
# What is bought before the store is connected: what becomes of the box -> how many, and what the sale is like.
SALES: Mapping[str, tuple[int, Mapping[str, Any]]] = {
    "subscribed": (6, {"billing": "adhoc"}),
    "standard": (3, {"billing": "standard"}),
    "prepaid": (1, {"billing": "adhoc", "cycles": 3}),
    "gift": (3, {"billing": "adhoc", "gift": GIFT}),
    "gift_without_email": (1, {"billing": "adhoc", "gift": {"name": "Jo Tarn"}}),
    "unpaid": (1, {"billing": "adhoc", "is_paid": False}),
    "test": (1, {"billing": "adhoc", "is_test": True}),
    "moves_before": (1, {"billing": "adhoc"}),
    "cancelled_before": (1, {"billing": "adhoc"}),
    "shipped_by_hand": (1, {"billing": "adhoc"}),
    "cancelled_in_time": (1, {"billing": "adhoc"}),
    "moves_too_late": (1, {"billing": "standard"}),
}
NEVER_SENT = ("unpaid", "test", "cancelled_before", "shipped_by_hand")
BUYS_LATE = {"billing": "adhoc", "gift": GIFT}  # while boxes go out, with its hooks
AUTO_SHIP_S = 1.0  # the warehouse packs and ships a box in this time, once it has begun to
LOST_CREATES_AFTER = 4  # so many boxes are taken before the answer to one is lost
# No box of the simulation becomes due in the demo, also not at midnight: those of a standard subscription when their
# batch has ended, weeks later, and the others on a day that lies ahead.
SETTINGS = {
    "cooling_off_signup_s": "0",  # what was bought before is long paid
    "cooling_off_renewal_s": "0",
    "future_days": "0",
    "pull_ecommerce": "no",  # the simulation sends its single items by itself, at any moment
}
_WAITING = ("ready", "unknown", "shipped", "cancel_requested")  # states in which a person may have it tried again
_DAY = timedelta(days=1)
_SINCE = 62 * _DAY  # longer than the longest month, and the one before
_COMMAND_INTERVAL_S = 1.0
_LONG_WAIT_S = 15  # for what is tried again sooner, no person is needed


@dataclass(slots=True)
class Boxes:
    """The boxes of the demo: shipments by what becomes of them, their buyers, and until when they are due."""

    due_until: str
    shipments: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    customers: list[int] = field(default_factory=list)

    @property
    def sent(self) -> set[str]:
        """The shipments that go to the warehouse, as its orders name them."""
        return {str(number) for what, ids in self.shipments.items() if what not in NEVER_SENT for number in ids}


def plan_sales(now: datetime) -> dict[str, dict[str, Any]]:
    """What is bought before the store is connected, and due at this time: what becomes of the boxes -> the sales."""
    dates = {"standard": _format(now.replace(day=1) - _DAY)}  # its batch, the month before, has ended
    due = {what: dates.get(sale["billing"], _format(now - _DAY)) for what, (_, sale) in SALES.items()}
    return {
        what: {**sale, "target": due[what], "count": count, "silent": True} for what, (count, sale) in SALES.items()
    }


def build_settings(now: datetime) -> dict[str, str]:
    """The settings of the demo's warehouse."""
    return {"earliest_order_at": (now - _SINCE).strftime("%Y-%m-%d"), **SETTINGS}


def sell_boxes(installation: DemoInstallation) -> Boxes:
    """Sell boxes that were due before, without hooks; then set the store's time ahead, where it will live.

    No event of its life so is older than the connection.
    """
    now = _get_now()
    boxes = Boxes(_format(now))
    for what, sale in plan_sales(now).items():
        sold = _control(installation, "sales", sale)["sales"]
        boxes.shipments[what] += [one["shipment_ids"][0] for one in sold]
        if what != "test":  # a purchase in test mode makes no customer
            boxes.customers += [one["customer_id"] for one in sold]
    _control(installation, "clock", {"now": _format(now + timedelta(seconds=STORE_AHEAD_S))})
    return boxes


def connect_warehouse(processes: DemoProcesses, installation: DemoInstallation) -> None:
    """Connect the warehouse in dry run, and let it report by itself what it has shipped."""
    place, secret = installation.warehouse["url"], installation.warehouse["webhook_secret"]
    keys = {"url": f"{place}/generic", "secret": secret, "inbound_secret": secret}
    settings = build_settings(_get_now())
    pairs = [("--key", f"{key}={value}") for key, value in keys.items()]
    pairs += [("--set", f"{key}={value}") for key, value in settings.items()]
    _fulfilment(processes, "connect", "--warehouse", "signed_webhook", *(word for pair in pairs for word in pair))
    listener = {"channel": "generic", "url": f"{installation.web}/fulfilment/demo/events", "secret": secret}
    call_sandbox(f"{place}/_control/listeners", listener)


def play_boxes(processes: DemoProcesses, installation: DemoInstallation, boxes: Boxes) -> None:
    """From the dry run to the moment at which the warehouse begins to pack: as a merchant and a warehouse do it."""
    _do(installation, boxes, "moves_before", "address", OTHER_PLACE)
    _do(installation, boxes, "cancelled_before", "cancel")
    _do(installation, boxes, "shipped_by_hand", "ship", {"tracking_number": "BYHAND1", "carrier_name": "USPS"})
    report = _wait_for_report(processes, installation)
    _lose_answers(installation)
    _go_live(processes, report)
    buyer = _control(installation, "sales", {**BUYS_LATE, "target": boxes.due_until})
    boxes.shipments["bought_late"] = buyer["shipment_ids"][:1]
    _send_all(processes, installation, boxes)
    _retry_waiting(processes)
    _do(installation, boxes, "moves_too_late", "address", OTHER_PLACE)
    _do(installation, boxes, "cancelled_in_time", "cancel")
    _wait_for_cancel(installation, boxes.shipments["cancelled_in_time"])
    call_sandbox(f"{installation.warehouse['url']}/_control/switches", {"auto_ship_s": AUTO_SHIP_S})


def finish_boxes(processes: DemoProcesses, installation: DemoInstallation, boxes: Boxes) -> dict[str, Any]:
    """Wait until every box is confirmed, or nothing moves any more; returns the comparison."""
    stall_detector = StallDetector()
    places = ("--store", installation.store["url"], "--warehouse", installation.warehouse["url"])
    while True:
        compared: dict[str, Any] = run_json_command(
            processes, "sandbox.compare.boxes", *places, "--due-until", boxes.due_until, may_fail=True
        )
        if are_boxes_right(compared) and not _retry_waiting(processes):
            return compared
        try:
            stall_detector.observe(compared)
        except CratewireError:
            return compared
        time.sleep(_COMMAND_INTERVAL_S)


def are_boxes_right(compared: Mapping[str, Any]) -> bool:
    """Whether each box that is due went out once and came back confirmed, and nothing else did."""
    counts = {compared[key] for key in ("shipments_due", "sent_to_warehouse", "confirmed")}
    return len(counts) == 1 and not compared["boxes_twice"] and not compared["offences"]


def _wait_for_report(processes: DemoProcesses, installation: DemoInstallation) -> Mapping[str, Any]:
    """Wait for the end of the first pass. Raises CratewireError if anything was sent before it was accepted."""
    stall_detector = StallDetector()
    report: dict[str, Any] = _fulfilment(processes, "dry-run")
    while not report["is_whole"]:
        stall_detector.observe(report)
        time.sleep(_COMMAND_INTERVAL_S)
        report = _fulfilment(processes, "dry-run")
    if _list_orders(installation):
        raise CratewireError("boxes were sent in the dry run")
    return report


def _lose_answers(installation: DemoInstallation) -> None:
    """Cut the connection after the warehouse has taken a box, and after the store has taken its tracking."""
    lost: dict[str, Any] = {"drop_after_commit": True, "times": 1}
    create = {**lost, "match": "POST /generic", "skip": LOST_CREATES_AFTER}
    call_sandbox(f"{installation.warehouse['url']}/_control/faults", create)
    _control(installation, "faults", {**lost, "method": "PUT", "prefix": "/v1/shipments"})


def _go_live(processes: DemoProcesses, report: Mapping[str, Any]) -> None:
    """Accept the report. If it has changed since it was read, a person reads it again."""
    stall_detector = StallDetector()
    while True:
        try:
            _fulfilment(processes, "go-live", "--accept", str(report["would_go"]))
        except CratewireError:
            report = _fulfilment(processes, "dry-run")
            stall_detector.observe(report)
        else:
            return


def _send_all(processes: DemoProcesses, installation: DemoInstallation, boxes: Boxes) -> None:
    """Wait until the warehouse has every box. What is bought late cools off until a person releases it."""
    stall_detector = StallDetector()
    late = {str(number) for number in boxes.shipments["bought_late"]}
    released: set[str] = set()
    while missing := boxes.sent - {order["shipment"] for order in _list_orders(installation)}:
        if missing <= late and missing != released:
            released = {number for number in missing if _release(processes, number)}
        stall_detector.observe(missing)
        time.sleep(POLL_INTERVAL_S)


def _wait_for_cancel(installation: DemoInstallation, shipments: Collection[int]) -> None:
    stall_detector = StallDetector()
    wanted = {str(number) for number in shipments}
    while open_orders := [
        order["order_number"]
        for order in _list_orders(installation)
        if order["shipment"] in wanted and order["stage"] != "cancelled"
    ]:
        stall_detector.observe(open_orders)
        time.sleep(POLL_INTERVAL_S)


def _release(processes: DemoProcesses, shipment: str) -> bool:
    """Release a box that cools off; False if it was not found at the store yet."""
    found = _fulfilment(processes, "release", f"SUB-{shipment}", may_fail=True)
    if found is None:
        time.sleep(_COMMAND_INTERVAL_S)
    return found is not None


def _retry_waiting(processes: DemoProcesses) -> int:
    """Have boxes tried again that wait after a failure, as a person can; returns how many are under way."""
    states = [word for state in _WAITING for word in ("--state", state)]
    found = _fulfilment(processes, "orders", *states)
    for box in found:
        if box["next_attempt_at"] > (time.time() + _LONG_WAIT_S) * 1_000_000:
            _fulfilment(processes, "retry", box["order_number"], may_fail=True)
    return len(found)


def _fulfilment(processes: DemoProcesses, command: str, *arguments: str, may_fail: bool = False) -> Any:
    """Run a command about the demo's store; None if it fails and may."""
    words = ("fulfilment", command, *arguments, "--store", "demo", "--json")
    try:
        return run_json_command(processes, "receiver.cli", *words)
    except CratewireError:
        if may_fail:
            return None
        raise


def _do(
    installation: DemoInstallation, boxes: Boxes, what: str, act: str, given: Mapping[str, Any] | None = None
) -> None:
    for number in boxes.shipments[what]:
        _control(installation, f"shipments/{number}/{act}", dict(given or {}))


def _control(installation: DemoInstallation, path: str, given: Mapping[str, Any]) -> Any:
    return call_sandbox(f"{installation.store['url']}/_sandbox/{path}", given)


def _list_orders(installation: DemoInstallation) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = call_sandbox(f"{installation.warehouse['url']}/_control/state")["orders"]
    return orders


def _get_now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
