"""What a pause of a warehouse stops, in words: more while its keys are refused than otherwise."""

from __future__ import annotations

from pipeline.ledger.fulfilment.warehouses import KEYS_REFUSED, KEYS_UNUSABLE, WarehouseRow

_STOPPED = {
    KEYS_UNUSABLE: "Nothing is searched, sent, confirmed or cancelled until it is resumed; nothing is lost.",
    KEYS_REFUSED: (
        "The warehouse refuses the keys and is not called: no box is sent or cancelled there. "
        "Cratejoy is still read and written to."
    ),
}
_BOXES_WAIT = "No box is sent until it is resumed. Cancels, tracking and what is written to Cratejoy go on."


def describe_pause(row: WarehouseRow) -> str:
    """What waits and what goes on while the warehouse is paused."""
    return _STOPPED.get(row.trouble or "", _BOXES_WAIT)
