"""Compare the boxes of a store with what a warehouse did with them: `python -m sandbox.compare.boxes`."""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import click
import requests

TIMEOUT_S = 60
Row = Mapping[str, Any]


class Offence(NamedTuple):
    """What is wrong with a box. `shipment` is its id, `detail` has numbers of orders and counts, never an address."""

    kind: str
    shipment: str
    detail: str


@dataclass(frozen=True)
class BoxReport:
    """The counts that a demo shows, and every offence."""

    shipments_due: int
    sent_to_warehouse: int
    confirmed: int
    store_emails: int
    boxes_twice: int
    offences: tuple[Offence, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command prints it."""
        counts = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "offences"}
        kinds = Counter(offence.kind for offence in self.offences)
        return counts | {"kinds": dict(kinds), "offences": [offence._asdict() for offence in self.offences]}


class Destination(NamedTuple):
    """Where a box was to go, as words in lower case, and the e-mail address for the carrier's notices."""

    street: tuple[str, ...]
    zip_code: tuple[str, ...]
    name: frozenset[str]
    email: str

    def fits(self, address: Row) -> bool:
        """Is it this address of the store?"""
        return (
            self.street == words(f"{address['street']} {address['unit'] or ''}")
            and self.zip_code == words(address["zip_code"])
            and frozenset(words(address["to"])) <= self.name
        )


def words(text: str | None) -> tuple[str, ...]:
    """Return the words of a text in lower case, without punctuation."""
    return tuple(re.findall(r"\w+", (text or "").casefold()))


def read_cartrover(order: Row) -> Destination:
    """Read an order of CartRover's Cart API."""
    names = (order.get(f"ship_{part}") or "" for part in ("first_name", "last_name", "company"))
    street = f"{order['ship_address_1']} {order.get('ship_address_2') or ''}"
    return Destination(
        words(street), words(order["ship_zip"]), frozenset(words(" ".join(names))), order.get("ship_e_mail") or ""
    )


def read_threepl(order: Row) -> Destination:
    """Read an order of 3PL Warehouse Manager."""
    to = order["shipTo"]
    name = frozenset(words(f"{to.get('name') or ''} {to.get('companyName') or ''}"))
    street = f"{to['address1']} {to.get('address2') or ''}"
    return Destination(words(street), words(to["zip"]), name, to.get("emailAddress") or "")


def read_generic(order: Row) -> Destination:
    """Read an order of the signed web hook."""
    to = order["ship_to"]
    name = frozenset(words(f"{to.get('name') or ''} {to.get('company') or ''}"))
    street = f"{to['address1']} {to.get('address2') or ''}"
    return Destination(words(street), words(to["zip"]), name, to.get("email") or "")


READERS: Mapping[str, Callable[[Row], Destination]] = {
    "cartrover": read_cartrover,
    "3pl": read_threepl,
    "generic": read_generic,
}


def compare_boxes(shipments: Iterable[Row], orders: Iterable[Row], due_until: str | None = None) -> BoxReport:
    """Compare every box of the store with the warehouse's orders.

    Boxes whose target date is after `due_until` need not have been sent. Orders that the warehouse cancelled do not
    count, and orders without a body were typed in by hand.
    """
    live: dict[str, list[Row]] = defaultdict(list)
    for order in orders:
        if order["stage"] != "cancelled" and order["received"]:
            live[order["shipment"]].append(order)
    boxes = {str(row["id"]): row for row in shipments}
    offences = [Offence("unknown", key, _numbers(found)) for key, found in live.items() if key not in boxes]
    for key, box in boxes.items():
        offences += [Offence(kind, key, detail) for kind, detail in _judge(box, live.get(key, []), due_until)]
    sent = {key for key in boxes if live.get(key)}
    return BoxReport(
        shipments_due=sum(key in sent or _is_due(box, due_until) for key, box in boxes.items()),
        sent_to_warehouse=len(sent),
        confirmed=sum(boxes[key]["status"] == "shipped" for key in sent),
        store_emails=sum(box["emails"] for box in boxes.values()),
        boxes_twice=sum(max(0, len(live[key]) - 1) for key in sent),
        offences=tuple(offences),
    )


def _judge(box: Row, orders: list[Row], due_until: str | None) -> Iterator[tuple[str, str]]:
    if not orders and _is_due(box, due_until):
        yield "unsent", f"target {box['adjusted_ordered_at']}"
    if len(orders) > 1:
        yield "twice", _numbers(orders)
    for order in orders:
        yield from _judge_order(box, order)
    yield from _judge_confirmation(box, orders)


def _is_due(box: Row, due_until: str | None) -> bool:
    is_wanted = box["status"] == "unshipped" and box["financial_status"] == "paid" and not box["is_test"]
    return is_wanted and (due_until is None or box["adjusted_ordered_at"] <= due_until)


def _judge_order(box: Row, order: Row) -> Iterator[tuple[str, str]]:
    number = order["order_number"]
    if box["is_test"]:
        yield "test_sent", number
    if box["status"] == "cancelled":
        yield "live_though_cancelled", number
    pieces = sum(line["quantity"] for line in order["lines"])
    if pieces != box["lines"]:
        yield "wrong_count", f"{number}: {pieces} of {box['lines']}"
    destination = READERS[order["channel"]](order["received"])
    if not any(destination.fits(address) for address in (box["ship_address"], *box["former_addresses"])):
        yield "wrong_address", number
    if box["is_gift"] and destination.email and destination.email.casefold() == box["buyers_email"].casefold():
        yield "buyers_email_on_gift", number


def _judge_confirmation(box: Row, orders: list[Row]) -> Iterator[tuple[str, str]]:
    shipped = [order for order in orders if order["stage"] == "shipped"]
    is_shipped = box["status"] == "shipped"
    if shipped and box["status"] == "unshipped":
        yield "unconfirmed", _numbers(shipped)
    if is_shipped and box["shipped_puts"] and not any(order["packages"] for order in orders):
        yield "unfounded", "confirmed, but the warehouse has sent no package"
    numbers = {_plain(package["tracking_number"]) for order in orders for package in order["packages"]}
    written = [_plain(part) for part in (box["tracking_number"] or "").split(",")]
    if is_shipped and box["shipped_puts"] and numbers and not numbers.issuperset(written):
        yield "wrong_tracking", _numbers(orders)
    if box["shipped_puts"] > 1:
        yield "written_twice", f"{box['shipped_puts']} writes"
    if box["emails"] != int(is_shipped):
        yield "emails", f"{box['emails']} of {int(is_shipped)}"


def _plain(tracking: str) -> str:
    return "".join(tracking.split()).upper()


def _numbers(orders: Iterable[Row]) -> str:
    return ", ".join(order["order_number"] for order in orders)


def _fetch(session: requests.Session, url: str, member: str) -> list[Row]:
    response = session.get(url, timeout=TIMEOUT_S)
    response.raise_for_status()
    rows: list[Row] = response.json()[member]
    return rows


@click.command()
@click.option("--store", required=True, help="URL of the sandbox store.")
@click.option("--warehouse", required=True, help="URL of the sandbox warehouse.")
@click.option("--due-until", help="Boxes with a later target date need not have been sent, as 2026-03-02T17:04:31Z.")
def main(store: str, warehouse: str, due_until: str | None) -> None:
    """Compare the boxes of the store with those of the warehouse and print JSON; exit 1 if anything is wrong."""
    session = requests.Session()
    session.trust_env = False
    try:
        shipments = _fetch(session, f"{store.rstrip('/')}/_sandbox/shipments", "shipments")
        orders = _fetch(session, f"{warehouse.rstrip('/')}/_control/state", "orders")
    except requests.RequestException as error:
        click.echo(f"cannot ask: {error}", err=True)
        sys.exit(2)
    report = compare_boxes(shipments, orders, due_until)
    click.echo(json.dumps(report.as_json()))
    sys.exit(1 if report.offences else 0)


if __name__ == "__main__":
    main()
