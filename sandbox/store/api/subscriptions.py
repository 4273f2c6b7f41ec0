"""What a merchant does to a subscription over the API: change, cancel, take up, skip, renew, give coupons."""

from typing import Any

from flask import Blueprint, Response

from sandbox.store import dates
from sandbox.store.api.answers import BAD_REQUEST, NOT_FOUND, answer, body, nothing, refuse, truthy, whole
from sandbox.store.api.hooks import voice
from sandbox.store.api.reads import existing, shown
from sandbox.store.shop import renewals
from sandbox.store.shop import subscriptions as shop
from sandbox.store.state import Row
from sandbox.store.world import World


def subscriptions(world: World) -> Blueprint:
    blueprint = Blueprint("subscriptions", __name__)

    @blueprint.put("/v1/subscriptions/<int:row_id>/")
    def change(row_id: int) -> Response:
        fields = read_fields(body())
        with world.state.lock:
            row = existing(world, "subscriptions", row_id)
            row.update(fields)
            return answer(shown(world, "subscriptions", row))

    @blueprint.put("/v1/subscriptions/<int:row_id>/<any(cancel, reactivate, skip, renew):action>/")
    def act(row_id: int, action: str) -> Response:
        fields = body() if action == "skip" else {}
        with world.state.lock:
            row = existing(world, "subscriptions", row_id)
            ACTIONS[action](world, row, fields)
            return answer(shown(world, "subscriptions", row))

    @blueprint.post("/v1/subscriptions/<int:row_id>/coupons/")
    def add_coupon(row_id: int) -> Response:
        coupon_id = whole(body().get("coupon_id"))
        with world.state.lock:
            existing(world, "subscriptions", row_id)
            return answer(world.state.insert("subscription_coupons", coupon(row_id, coupon_id)), 201)

    @blueprint.delete("/v1/subscriptions/<int:row_id>/coupons/")
    @blueprint.delete("/v1/subscriptions/<int:row_id>/coupons/<int:coupon_id>/")
    def remove_coupons(row_id: int, coupon_id: int | None = None) -> Response:
        with world.state.lock:
            existing(world, "subscriptions", row_id)
            found = world.state.of("subscription_coupons", "subscription_id", row_id)
            doomed = [row for row in found if coupon_id in {None, row["coupon_id"]}]
            if coupon_id is not None and not doomed:
                refuse(NOT_FOUND, "no such coupon")
            for row in doomed:
                world.state.remove("subscription_coupons", row["id"])
            return nothing()

    return blueprint


def read_fields(fields: dict[str, Any]) -> Row:
    """The writable ones; the new end date may be a bare date."""
    known: Row = {name: fields[name] for name in ("note", "credit") if name in fields}
    if "autorenew" in fields:
        known["autorenew"] = truthy(fields["autorenew"])
    if "end_date" in fields:
        try:
            known["end_date"] = dates.iso(dates.seconds(str(fields["end_date"])))
        except ValueError:
            refuse(BAD_REQUEST, "end_date is a date")
    return known


def coupon(subscription_id: int, coupon_id: int) -> Row:
    return {
        "code_used": f"CODE{coupon_id}",
        "coupon_id": coupon_id,
        "enabled": True,
        "num_renewals": 1,
        "subscription_id": subscription_id,
        "type": "subscription_coupon",
    }


def cancel(world: World, row: Row, _: Row) -> None:
    if row["status"] != "cancelled":
        shop.cancel(voice(world), row)


def reactivate(world: World, row: Row, _: Row) -> None:
    if row["status"] == "cancelled":
        shop.reactivate(voice(world), row)


def skip(_world: World, row: Row, fields: Row) -> None:
    shop.skip(row, skipped=truthy(fields.get("skip")) and not truthy(fields.get("unskip")))


def renew(world: World, row: Row, _: Row) -> None:
    """For a past-due subscription; it charges the saved card."""
    if row["status"] != "past_due":
        refuse(BAD_REQUEST, "only a past-due subscription can be renewed")
    renewals.renew(voice(world), row)


ACTIONS = {"cancel": cancel, "reactivate": reactivate, "skip": skip, "renew": renew}
