from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.manifest import (
    CHANGES,
    Present,
    build_manifest,
    count_skus,
    find_changes_after_freeze,
    from_json,
    to_json,
)
from pipeline.fulfilment.rules.order import Numbering
from pipeline.fulfilment.rules.waves import find_wave, split_waves
from pipeline.fulfilment.settings import Wave
from tests.pipeline.fulfilment.rules.boxes import NOW, address, body, build, item, order


def box(number=1, *, is_gift=False, country="US", size="Medium", **more):
    instance = {
        "id": 1,
        "sku": "BOX",
        "product": {"name": "Tea Box"},
        "variants": [{"type": "Size", "value": size}, {"type": "Color", "value": "Red"}],
    }
    sent = body(
        id=number,
        ship_address=address(country=country, state="ON", zip_code="K1A 0B1" if country == "CA" else "75001", **more),
        fulfillments=[item(instance=instance, order=order(is_gift=is_gift))],
    )
    return build(sent, numbering=Numbering(f"SUB-{number}", "subscription"))


GIFTS, LARGE, NORTH = (
    Wave("Gifts", gift=True),
    Wave("Large", variants=("size: large", "XL")),
    Wave("North", None, ("CA",)),
)


@pytest.mark.parametrize(
    ("made", "wave"),
    [
        (box(), "rest"),
        (box(is_gift=True), "Gifts"),
        (box(is_gift=True, size="Large"), "Gifts"),
        (box(size="Large"), "Large"),
        (box(size="XL"), "Large"),
        (box(size="Extra Large"), "rest"),
        (box(country="CA"), "North"),
    ],
)
def test_a_box_is_in_the_first_wave_that_it_belongs_to(made, wave):
    assert find_wave(made, [GIFTS, LARGE, NORTH]) == wave


def test_all_that_a_wave_names_must_be_true():
    both = Wave("Both", gift=False, countries=("CA",), variants=("Red",))

    assert find_wave(box(country="CA"), [both]) == "Both"
    assert find_wave(box(country="CA", is_gift=True), [both]) == "rest"
    assert find_wave(box(), [both]) == "rest"


def test_waves_are_in_the_order_of_the_settings_and_the_rest_is_last():
    boxes = [box(1), box(2, size="XL"), box(3, is_gift=True), box(4)]

    split = split_waves(boxes, [GIFTS, NORTH, LARGE])

    assert {name: [one.shipment_id for one in found] for name, found in split.items()} == {
        "Gifts": [3],
        "Large": [2],
        "rest": [1, 4],
    }
    assert list(split) == ["Gifts", "Large", "rest"]


FROZEN = build_manifest(5, NOW, [box(2), box(1)])


def test_a_manifest_is_the_same_in_whatever_order_its_boxes_come():
    assert build_manifest(5, NOW, [box(1), box(2)]) == FROZEN
    assert [entry.order_number for entry in FROZEN.entries] == ["SUB-1", "SUB-2"]
    assert count_skus(FROZEN) == {"BOX": 2}


def test_a_manifest_comes_back_from_json():
    assert from_json(json.loads(json.dumps(to_json(FROZEN)))) == FROZEN


def test_the_hash_of_a_manifest_never_changes():
    """A warehouse that was given the manifest compares it later."""
    stored = to_json(FROZEN)

    assert stored["version"] == 1
    assert stored["digest"] == "2f957bda485d1490dc3b2734fbc3d59fe7800caaa2b4662c901bd7d828d9f2ec"


def test_a_manifest_that_was_changed_is_not_taken():
    stored = json.loads(json.dumps(to_json(FROZEN)))
    stored["entries"][0]["lines"][0][1] = 2

    with pytest.raises(ValueError, match="the manifest of batch 5 was changed after its freeze"):
        from_json(stored)


def test_a_manifest_names_no_person():
    text = json.dumps(to_json(FROZEN))

    assert not any(word in text for word in ("Example", "Street", "75001", "@"))


def present(made, state="ready"):
    lines = tuple(sorted((line.sku, line.quantity) for line in made.lines))
    return Present(made.order_number, State(state), made.fingerprint, lines)


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ([present(box(1)), present(box(2))], []),
        ([present(box(1), "confirmed"), present(box(2), "at_warehouse")], []),
        ([present(box(1), "cancelled"), present(box(2))], [("SUB-1", "cancelled", "cancelled")]),
        ([present(box(1), "cancel_refused"), present(box(2))], [("SUB-1", "cancelled", "cancel_refused")]),
        ([present(box(2))], [("SUB-1", "cancelled", None)]),
        ([present(box(1), "skipped"), present(box(2))], [("SUB-1", "left_out", "skipped")]),
        ([present(box(1), "held"), present(box(2))], [("SUB-1", "held", "held")]),
        ([present(box(1, unit="9")), present(box(2))], [("SUB-1", "address_changed", "ready")]),
        ([replace(present(box(1)), lines=(("BOX", 2),)), present(box(2))], [("SUB-1", "lines_changed", "ready")]),
        ([present(box(1)), present(box(2)), present(box(3))], [("SUB-3", "latecomer", "ready")]),
        ([present(box(1)), present(box(2)), present(box(3), "cancelled")], []),
    ],
)
def test_what_changed_after_the_freeze_is_kept_apart(now, changes):
    found = find_changes_after_freeze(FROZEN, now)

    assert [(one.order_number, one.code, one.state) for one in found] == changes
    assert all(one.code in CHANGES for one in found)
