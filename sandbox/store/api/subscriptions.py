"""What a merchant does to a subscription over the API: cancel, take up, skip, renew, give coupons."""

from flask import Blueprint, Response

from sandbox.store import dates
from sandbox.store.api.fields import read
from sandbox.store.api.hooks import shop_for_api_writes
from sandbox.store.api.reads import get_or_404, render_or_400
from sandbox.store.api.responses import BAD_REQUEST, NOT_FOUND, answer, body, empty_response, optional_body, refuse
from sandbox.store.shop import subscriptions as shop
from sandbox.store.state import Row
from sandbox.store.world import World


def subscriptions(world: World) -> Blueprint:
    blueprint = Blueprint("subscriptions", __name__)

    @blueprint.put("/v1/subscriptions/<int:row_id>/<any(cancel, reactivate, skip, renew):action>/")
    def act(row_id: int, action: str) -> Response:
        fields = read("subscriptions", action, optional_body())
        with world.state.lock:
            row = get_or_404(world, "subscriptions", row_id)
            ACTIONS[action](world, row, fields)
            return answer(render_or_400(world, "subscriptions", row))

    @blueprint.post("/v1/subscriptions/<int:row_id>/coupons/")
    def add_coupon(row_id: int) -> Response:
        coupon_id = read("subscription_coupons", "POST", body(), required="coupon_id")["coupon_id"]
        with world.state.lock:
            get_or_404(world, "subscriptions", row_id)
            return answer(world.state.insert("subscription_coupons", coupon(row_id, coupon_id)), 201)

    @blueprint.delete("/v1/subscriptions/<int:row_id>/coupons/")
    @blueprint.delete("/v1/subscriptions/<int:row_id>/coupons/<int:coupon_id>/")
    def remove_coupons(row_id: int, coupon_id: int | None = None) -> Response:
        with world.state.lock:
            get_or_404(world, "subscriptions", row_id)
            found = world.state.of("subscription_coupons", "subscription_id", row_id)
            doomed = [row for row in found if coupon_id in {None, row["coupon_id"]}]
            if coupon_id is not None and not doomed:
                refuse(NOT_FOUND, "no such coupon")
            for row in doomed:
                world.state.remove("subscription_coupons", row["id"])
            return empty_response()

    return blueprint


def coupon(subscription_id: int, coupon_id: int) -> Row:
    return {
        "code_used": f"CODE{coupon_id}",
        "coupon_id": coupon_id,
        "enabled": True,
        "num_renewals": 1,
        "subscription_id": subscription_id,
        "type": "subscription_coupon",
    }


def cancel(world: World, row: Row, fields: Row) -> None:
    if row["status"] == "cancelled":
        return
    row["cancel_reason"] = fields.get("cancel_reason")
    log(world, row, "cancelled", fields)
    shop.cancel(shop_for_api_writes(world), row)


def reactivate(world: World, row: Row, fields: Row) -> None:
    if row["status"] == "cancelled":
        log(world, row, "reactivated", fields)
        shop.reactivate(shop_for_api_writes(world), row)


def skip(_world: World, row: Row, fields: Row) -> None:
    if not fields:
        refuse(BAD_REQUEST, "skip or unskip is missing")
    shop.skip(row, skipped=fields.get("skip", False) and not fields.get("unskip", False))


def renew(world: World, row: Row, _: Row) -> None:
    """For a past-due subscription; it charges the saved card."""
    if row["status"] != "past_due":
        refuse(BAD_REQUEST, "only a past-due subscription can be renewed")
    shop.renew(shop_for_api_writes(world), row)


def log(world: World, row: Row, what: str, fields: Row) -> None:
    """Keep the merchant's note in the log. That a subscription has logs is documented, their properties are not."""
    entry = {"action": what, "created_at": dates.iso(world.state.now), "note": fields.get("log_note")}
    row["_logs"].append({**entry, "id": world.state.new_id(), "type": "subscription_log"})


ACTIONS = {"cancel": cancel, "reactivate": reactivate, "skip": skip, "renew": renew}
