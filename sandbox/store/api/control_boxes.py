"""What a merchant does to boxes, orders and subscriptions in the dashboard, and what the boxes caused."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response

from sandbox.store import dates, shapes
from sandbox.store.api.fields import (
    ADDRESS,
    InvalidValue,
    Reader,
    boolean,
    date,
    integer,
    nullable,
    read_nested,
    text,
    unknown,
)
from sandbox.store.api.reads import get_or_404
from sandbox.store.api.responses import BAD_REQUEST, answer, optional_body, refusal
from sandbox.store.shop import boxes, payments, subscriptions
from sandbox.store.shop.boxes import billing_type_of
from sandbox.store.state import Row
from sandbox.store.world import World

SHIP: Mapping[str, Reader] = {"tracking_number": nullable(text), "carrier_name": text, "tracking_link": text}
NO_FIELDS: Mapping[str, Reader] = {}

# What is done to a box, an order or a subscription: the fields it takes, and how it is done.
Act = Callable[[World, Row, Row], object]


class WrongState(ValueError):
    """The object is not in a state in which this can be done."""


def control_boxes(world: World) -> Blueprint:
    blueprint = Blueprint("control_boxes", __name__, url_prefix="/_sandbox")
    blueprint.register_error_handler(ValueError, lambda error: refusal(BAD_REQUEST, str(error)))

    @blueprint.get("/shipments")
    def list_boxes() -> Response:
        """Every box with what the store knows of it, and how many e-mails it caused."""
        with world.state.lock:
            mails = count_mails(world)
            return answer({"shipments": [describe(world, row, mails) for row in world.state.rows("shipments")]})

    @blueprint.get("/emails")
    def list_mails() -> Response:
        """The e-mails of sent boxes: how many each box caused, and the most of all."""
        with world.state.lock:
            mails = count_mails(world)
        return answer({"by_shipment": mails, "most": max(mails.values(), default=0), "total": sum(mails.values())})

    @blueprint.post(f"/<any({', '.join(ACTS)}):kind>/<int:row_id>/<act>")
    def do(kind: str, row_id: int, act: str) -> Response:
        if act not in ACTS[kind]:
            raise WrongState(f"{kind} can be {', '.join(ACTS[kind])}")
        readers, perform = ACTS[kind][act]
        given = read(readers, optional_body())
        with world.state.lock:
            row = get_or_404(world, kind, row_id)
            perform(world, row, given)
            return answer(shapes.plain(row))

    return blueprint


def read(readers: Mapping[str, Reader], given: Mapping[str, Any]) -> Row:
    """Return the fields; raise InvalidValue with the name of the first that is wrong."""
    try:
        return {name: read_nested(name, readers.get(name, unknown), value) for name, value in given.items()}
    except InvalidValue as error:
        raise InvalidValue(f"{error.where} {error}") from error


def count_mails(world: World) -> dict[int, int]:
    counts: dict[int, int] = {}
    for letter in world.state.outbox:
        counts[letter["shipment_id"]] = counts.get(letter["shipment_id"], 0) + 1
    return counts


def describe(world: World, row: Row, mails: Mapping[int, int]) -> Row:
    state = world.state
    address = state.get("addresses", row["_address_id"])
    return {
        **shapes.pick(
            row, ("adjusted_ordered_at", "id", "is_gift", "is_test", "shipped_at", "status", "tracking_number")
        ),
        "billing_type": billing_type_of(state, row),
        "buyers_email": state.get("customers", row["customer_id"])["email"],
        "customer_id": row["customer_id"],
        "emails": mails.get(row["id"], 0),
        "former_addresses": address.get("_former", []),
        "lines": sum(line["status"] != "cancelled" for line in state.of("fulfillments", "shipment_id", row["id"])),
        "order_id": row["_order_id"],
        "financial_status": state.get("orders", row["_order_id"])["financial_status"],
        "ship_address": shapes.plain(address),
        "shipped_puts": state.shipped_puts[row["id"]],
        "sub_cycle": row["_sub_cycle"],
        "subscription_id": row["_subscription_id"],
    }


def require(row: Row, *statuses: str) -> None:
    if row["status"] not in statuses:
        raise WrongState(f"it is {row['status']}, not {' or '.join(statuses)}")


def cancel_box(world: World, row: Row, _: Row) -> None:
    require(row, "unshipped")
    boxes.cancel(world.shop, row)


def restore_box(world: World, row: Row, _: Row) -> None:
    require(row, "cancelled")
    boxes.restore(world.shop, row)


def ship_by_hand(world: World, row: Row, given: Row) -> None:
    require(row, "unshipped")
    boxes.ship(world.shop, row, given)


def change_address(world: World, row: Row, given: Row) -> None:
    require(row, "unshipped")
    boxes.send_elsewhere(world.shop, row, given)


def move_box(_: World, row: Row, given: Row) -> None:
    """Another target date. No event covers it."""
    require(row, "unshipped")
    row.update(adjusted_ordered_at=given["target"], target_at=given["target"])


def cancel_line(world: World, row: Row, _: Row) -> None:
    """Cancel the last line of a box; the box itself remains."""
    require(row, "unshipped")
    world.state.of("fulfillments", "shipment_id", row["id"])[-1]["status"] = "cancelled"


def unbatch_box(_: World, row: Row, __: Row) -> None:
    """Take the box out of its batch, as if it had never had one."""
    row["_batch_id"] = None


def hide_box(world: World, row: Row, _: Row) -> None:
    """Let the API answer 404 for it, until all faults are removed."""
    world.state.gone.add(row["id"])


def pay_order(world: World, row: Row, _: Row) -> None:
    if row["financial_status"] != "unpaid":
        raise WrongState(f"it is {row['financial_status']}, not unpaid")
    payments.settle(world.shop, row)


def refund_order(world: World, row: Row, given: Row) -> None:
    """All of it, or `amount`. The word for a partly refunded order is not known: `financial_status` may give one."""
    amount = given.get("amount", row["total"] - row["refunded_amount"])
    is_whole = row["refunded_amount"] + amount >= row["total"]
    payments.refund(world.shop, row, amount, given.get("financial_status", "refunded" if is_whole else None))


def renew_subscription(world: World, row: Row, given: Row) -> None:
    subscriptions.renew(world.shop, row, dates.seconds(given["target"]) if "target" in given else None)


def cancel_subscription(world: World, row: Row, given: Row) -> None:
    require(row, "active", "past_due", "expired")
    subscriptions.cancel(world.shop, row, keep_boxes=given.get("keep_boxes", False))


def set_status(status: str) -> Act:
    """No event covers these."""
    return lambda world, row, _: subscriptions.set_status(world.shop, row, status)


ACTS: Mapping[str, Mapping[str, tuple[Mapping[str, Reader], Act]]] = {
    "shipments": {
        "cancel": (NO_FIELDS, cancel_box),
        "uncancel": (NO_FIELDS, restore_box),
        "ship": (SHIP, ship_by_hand),
        "address": (ADDRESS, change_address),
        "move": ({"target": date}, move_box),
        "cancel_line": (NO_FIELDS, cancel_line),
        "unbatch": (NO_FIELDS, unbatch_box),
        "hide": (NO_FIELDS, hide_box),
    },
    "orders": {
        "pay": (NO_FIELDS, pay_order),
        "refund": ({"amount": integer, "financial_status": text}, refund_order),
    },
    "subscriptions": {
        "renew": ({"target": date}, renew_subscription),
        "cancel": ({"keep_boxes": boolean}, cancel_subscription),
        "expire": (NO_FIELDS, set_status("expired")),
        "activate": (NO_FIELDS, set_status("active")),
    },
}
