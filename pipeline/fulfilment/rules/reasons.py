"""Why an order waits, is held, is left out or needs a person: each code with its sentence. The codes never change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One code. `text`: what is so. `cure`: what ends it. `may_release`: a person may send the box all the same."""

    code: str
    text: str
    cure: str = ""
    may_release: bool = False


# Before a box is sent: it waits. Ends by itself.
WAITS = (
    Reason("not_due", "The box is not due yet.", "It goes out when it is due.", may_release=True),
    Reason(
        "cooling_off",
        "The payment is so new that Cratejoy may still refund it.",
        "It goes out when the cooling-off time is over.",
        may_release=True,
    ),
    Reason(
        "billing_type_unknown",
        "No search has shown yet how the box is billed.",
        "The next search does, unless the settings leave out boxes of its kind.",
    ),
)
# It is held until the shop, the settings or a person change something.
HOLDS = (
    Reason("unpaid", "An order behind the box is not paid.", "It goes out when Cratejoy says paid.", may_release=True),
    Reason(
        "subscription_not_active",
        "The subscription is not active, but still owes a box that may be paid.",
        "Release it if the box is to go out.",
        may_release=True,
    ),
    Reason(
        "batch_missing",
        "The box belongs to a batch that Cratejoy does not show, so its date is not known.",
        "Release it if the box is to go out now.",
        may_release=True,
    ),
    Reason("missing_date", "The box has no date.", "Set its date at Cratejoy, or release it.", may_release=True),
    Reason("missing_lines", "Cratejoy shows nothing in the box.", "Look at the shipment at Cratejoy."),
    Reason("missing_sku", "An item has no SKU.", "Give the product a SKU at Cratejoy."),
    Reason("missing_cycle", "The number of the box is not known, and the SKU needs it.", "The next search finds it."),
    Reason(
        "unmapped_ship_code",
        "The ship code is not mapped to one of the warehouse.",
        "Map the ship code in the settings.",
        may_release=True,
    ),
    Reason("invalid_address", "The address cannot be shipped to.", "Correct the address at Cratejoy."),
    Reason("invalid", "The shipment cannot be read.", "Look at the shipment at Cratejoy."),
    Reason("unknown_status", "The shipment has a status that is not known.", "Look at the shipment at Cratejoy."),
    Reason(
        "rejected_by_warehouse",
        "The warehouse refused the order.",
        "Correct what it names; then it goes out by itself. Or try again.",
        may_release=True,
    ),
    Reason(
        "conflict",
        "The warehouse has another order under this number.",
        "Look at the order at the warehouse, and cancel it there if it is wrong.",
        may_release=True,
    ),
    Reason(
        "uncancelled",
        "Cratejoy wants the box again, after it was cancelled at the warehouse.",
        "Send it again under a new number.",
    ),
    Reason(
        "outcome_unknown",
        "The warehouse did not answer, and cannot be asked for the order.",
        "Ask the warehouse; then send it again or mark it as sent.",
    ),
)
# It is left out, as the shop is set up now.
SKIPS = (
    Reason("cancelled_before_load", "The shipment was cancelled before it was first seen."),
    Reason("already_shipped", "The shipment was marked as shipped at Cratejoy before it was sent."),
    Reason("all_lines_cancelled", "Everything in the box was cancelled."),
    Reason("type_disabled", "The settings leave out boxes of this billing type.", "Switch it on.", may_release=True),
    Reason("too_old", "The box is older than the earliest date.", "Change the date, or release it.", may_release=True),
    Reason("test_shipment", "It is a test shipment.", "The settings can let them in.", may_release=True),
    Reason("all_lines_filtered", "The item filter leaves nothing in the box.", "Change the item filter."),
    Reason("shipment_gone", "Cratejoy has the shipment no more."),
)
# Once the warehouse may have it.
LATER = (
    Reason(
        "number_taken",
        "The warehouse has an order under this number, and the box was not sent before.",
        "It is looked up whether that is this box.",
    ),
    Reason("cancelled_before_sending", "Cancelled at Cratejoy before it was sent."),
    Reason("cancelled_at_cratejoy", "Cancelled at Cratejoy, and at the warehouse in time."),
    Reason("cancel_pending", "The warehouse took the cancel, and does not say yet that it will not send the box."),
    Reason("too_late", "The warehouse refused to cancel.", "Ask the warehouse; its tracking is still waited for."),
    Reason("unsupported", "The warehouse cannot be asked to cancel.", "Cancel it at the warehouse by hand."),
    Reason(
        "other_warehouse",
        "It may be at the warehouse that the store had before.",
        "Cancel it there by hand; its tracking does not come by itself.",
    ),
    Reason("no_answer", "The warehouse did not answer the cancel.", "Cancel it at the warehouse by hand."),
    Reason("delivery_failed", "The warehouse could not be given the order.", "Mend the cause, and try again."),
    Reason("confirm_failed", "Cratejoy could not be given the tracking number.", "Mend the cause, and try again."),
    Reason("confirm_rejected", "Cratejoy refused the tracking number.", "Enter it at Cratejoy by hand."),
    Reason("other_tracking", "Cratejoy has another tracking number.", "Compare both, and decide which is right."),
    Reason(
        "marked_at_cratejoy",
        "Marked as shipped at Cratejoy while it was at the warehouse.",
        "See that it is not sent twice.",
    ),
    Reason("parcel_after_cancel", "A parcel left although the box is cancelled.", "Write its tracking, or ignore it."),
    Reason(
        "cancelled_by_warehouse", "Cancelled at the warehouse, not by the shop.", "Ask the warehouse, or send it again."
    ),
    Reason("written_by_person", "A person decided that the tracking is written to Cratejoy."),
    Reason("seen_by_person", "A person has seen it and leaves it so."),
    Reason("retried_by_person", "A person had it tried again."),
    Reason("released_by_person", "A person released it."),
)
# What a person is shown beside the state: something changed after the box was sent.
NOTICES = (
    Reason("address_changed", "The address was changed after the box was sent.", "Ask the warehouse to change it."),
    Reason("lines_changed", "The content was changed after the box was sent.", "Ask the warehouse to change it."),
    Reason("gift_changed", "The gift message was changed after the box was sent.", "Ask the warehouse to change it."),
    Reason("date_moved", "The date was moved after the box was sent.", "Ask the warehouse whether it can wait."),
    Reason(
        "unpaid_after_sending", "The payment was taken back after the box was sent.", "Cancel it if it should not go."
    ),
    Reason("cancelled_while_pending", "Cratejoy wants the box again while its cancel is not answered yet."),
    Reason("not_at_warehouse", "The warehouse does not find the order any more.", "Ask the warehouse."),
    Reason(
        "stopped_at_warehouse",
        "The warehouse has an error with the order, and does not pack it.",
        "What happened to the box says which; correct it at the warehouse.",
    ),
    Reason("no_tracking", "The warehouse says shipped, without a tracking number.", "Ask the warehouse for it."),
    Reason("more_packages", "A further parcel was reported after Cratejoy was written to."),
    Reason(
        "partly_shipped_and_cancelled",
        "A part was shipped, and the warehouse cancelled the rest.",
        "Ask the warehouse.",
    ),
)
# Why nothing goes at all until a person has looked.
VOLUMES = (
    Reason("unusual_volume", "More boxes would go than on any day before.", "Look at them, and let them pass."),
    Reason("unusual_batch", "More boxes of a batch would go than it has.", "Look at them, and let them pass."),
)
REASONS: dict[str, Reason] = {
    reason.code: reason for group in (WAITS, HOLDS, SKIPS, LATER, NOTICES, VOLUMES) for reason in group
}
RELEASABLE = frozenset(code for code, reason in REASONS.items() if reason.may_release)
