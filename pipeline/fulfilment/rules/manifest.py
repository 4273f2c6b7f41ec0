"""The manifest of a frozen batch: which boxes it has, with a hash of that, and what was changed after the freeze.

It has order numbers, SKUs and countries, and no names, addresses or messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from pipeline.core.fulfilment import Order, State

VERSION = 1
_GONE = {State.CANCELLED, State.CANCEL_REQUESTED, State.CANCEL_REFUSED, State.SHIPPED_AFTER_CANCEL}


@dataclass(frozen=True, slots=True)
class Entry:
    """One box of a frozen batch."""

    order_number: str
    shipment_id: int
    fingerprint: str
    country: str
    is_gift: bool
    lines: tuple[tuple[str, int], ...]  # (SKU, quantity), sorted


@dataclass(frozen=True, slots=True)
class Manifest:
    """The boxes of a batch at its freeze, by order number. `digest`: SHA-256 of all else, in hex."""

    batch_id: int
    frozen_at: int  # µs
    wave: str
    entries: tuple[Entry, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a box after the freeze: a code of CHANGES, and where the box stands. `state` None: it is gone."""

    order_number: str
    code: str
    state: State | None


CHANGES = {
    "cancelled": "Cancelled after the freeze.",
    "left_out": "Left out after the freeze: marked as shipped at Cratejoy, emptied there, or by the settings.",
    "held": "Held after the freeze.",
    "lines_changed": "The content was changed after it was sent, or after the freeze.",
    "address_changed": "The address was changed after it was sent, or after the freeze.",
    "latecomer": "Came after the freeze.",
}


@dataclass(frozen=True, slots=True)
class Present:
    """A box of the batch as the ledger has it now. `lines`: (SKU, quantity), sorted."""

    order_number: str
    state: State
    fingerprint: str
    lines: tuple[tuple[str, int], ...]


def build_manifest(batch_id: int, frozen_at: int, orders: Iterable[Order], wave: str = "") -> Manifest:
    """Freeze the boxes of a batch, or of one of its waves."""
    entries = tuple(
        Entry(
            order.order_number,
            order.shipment_id,
            order.fingerprint,
            order.ship_to.country,
            order.is_gift,
            tuple(sorted((line.sku, line.quantity) for line in order.lines)),
        )
        for order in sorted(orders, key=lambda order: order.order_number)
    )
    return Manifest(batch_id, frozen_at, wave, entries, _hash(batch_id, frozen_at, wave, entries))


def to_json(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as it is stored and shown."""
    return {"version": VERSION, **asdict(manifest)}


def from_json(stored: Mapping[str, Any]) -> Manifest:
    """Return a stored manifest. Raises ValueError if it is not the one that was frozen."""
    entries = tuple(
        Entry(**{**entry, "lines": tuple((sku, quantity) for sku, quantity in entry["lines"])})
        for entry in stored["entries"]
    )
    made = Manifest(stored["batch_id"], stored["frozen_at"], stored["wave"], entries, stored["digest"])
    if made.digest != _hash(made.batch_id, made.frozen_at, made.wave, entries):
        raise ValueError(f"the manifest of batch {made.batch_id} was changed after its freeze: its hash does not fit")
    return made


def count_skus(manifest: Manifest) -> dict[str, int]:
    """Return the pieces of each SKU, by name."""
    counts: dict[str, int] = {}
    for entry in manifest.entries:
        for sku, quantity in entry.lines:
            counts[sku] = counts.get(sku, 0) + quantity
    return dict(sorted(counts.items()))


def find_changes_after_freeze(manifest: Manifest, present: Sequence[Present]) -> tuple[Change, ...]:
    """Return what is otherwise now, by order number: each box once, with what weighs most."""
    now = {box.order_number: box for box in present}
    frozen = {entry.order_number: entry for entry in manifest.entries}
    found = {number: _compare(entry, now.get(number)) for number, entry in frozen.items()}
    found |= {
        number: "latecomer"
        for number, box in now.items()
        if number not in frozen and box.state not in {State.SKIPPED, *_GONE}
    }
    states = {number: box.state for number, box in now.items()}
    return tuple(Change(number, code, states.get(number)) for number, code in sorted(found.items()) if code)


def _compare(entry: Entry, box: Present | None) -> str:
    if box is None or box.state in _GONE:
        return "cancelled"
    if box.state is State.SKIPPED:
        return "left_out"
    if box.state is State.HELD:
        return "held"
    if box.lines != entry.lines:
        return "lines_changed"
    return "address_changed" if box.fingerprint != entry.fingerprint else ""


def _hash(batch_id: int, frozen_at: int, wave: str, entries: tuple[Entry, ...]) -> str:
    content = [VERSION, batch_id, frozen_at, wave, [asdict(entry) for entry in entries]]
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()
