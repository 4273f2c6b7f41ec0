from __future__ import annotations

import pytest

from pipeline.core.fulfilment import Address, Content, Line, Order, WarehouseOrder
from pipeline.fulfilment.same_box import compare_box


def make_order(name: str = "Zoë Example", zip_code: str = "02134", skus: tuple[tuple[str, int], ...] = (("BOX", 1),)):
    lines = tuple(Line(number, sku, sku, sku, quantity, ()) for number, (sku, quantity) in enumerate(skus, 1))
    address = Address(name, "1 Test Street", "Testville", "US", zip=zip_code)
    return Order("SUB-1", 1, "subscription", "adhoc", 0, 0, "SUBSCRIPTION", address, lines, "print-1")


def found(content: Content | None = None, fingerprint: str = "") -> WarehouseOrder:
    return WarehouseOrder("SUB-1", "1", "open", content=content, fingerprint=fingerprint)


@pytest.mark.parametrize(
    "content",
    [
        Content((("BOX", 1),), "02134", "Zoë Example"),
        Content((("BOX", 1),), "02134-1234", "ZOE EXAMPLE"),
        Content((("box ", 1),), "021341234", "Zoe  Example."),
    ],
)
def test_a_box_that_the_warehouse_has_normalised_is_the_same(content):
    assert compare_box(make_order(), found(content)) == "same"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Pat O'Neil", "PAT O NEIL"),
        ("José María Núñez", "Jose Maria Nunez"),
        ("Łukasz Groß", "LUKASZ GROSS"),
        ("王小明", "王小明"),
    ],
)
def test_a_name_is_compared_without_accents_and_punctuation(ours, theirs):
    assert compare_box(make_order(ours), found(Content((("BOX", 1),), "02134", theirs))) == "same"


@pytest.mark.parametrize(("ours", "theirs"), [("K1A 0B1", "k1a0b1"), ("SW1A 1AA", "SW1A1AA"), ("", "")])
def test_a_zip_code_is_compared_without_spaces(ours, theirs):
    assert compare_box(make_order(zip_code=ours), found(Content((("BOX", 1),), theirs, "Zoë Example"))) == "same"


@pytest.mark.parametrize(
    "content",
    [
        Content((("BOX", 2),), "02134", "Zoë Example"),
        Content((("BOX-2602", 1),), "02134", "Zoë Example"),
        Content((("BOX", 1), ("MUG", 1)), "02134", "Zoë Example"),
        Content((), "02134", "Zoë Example"),
        Content((("BOX", 1),), "02135", "Zoë Example"),
        Content((("BOX", 1),), "02134", "Other Example"),
        Content((("BOX", 1),), "02134", ""),
    ],
)
def test_another_box_is_different(content):
    assert compare_box(make_order(), found(content)) == "different"


def test_lines_that_the_warehouse_has_joined_are_the_same():
    order = make_order(skus=(("BOX", 1), ("MUG", 1), ("BOX", 2)))

    assert compare_box(order, found(Content((("BOX", 3), ("MUG", 1)), "02134", "Zoë Example"))) == "same"


def test_a_fingerprint_of_ours_decides_by_itself():
    content = Content((("MUG", 9),), "99999", "Other")

    assert compare_box(make_order(), found(content, "print-1")) == "same"
    assert compare_box(make_order(), found(Content((("BOX", 1),), "02134", "Zoë Example"), "print-2")) == "different"


def test_an_order_without_content_is_not_taken_for_ours():
    assert compare_box(make_order(), found()) == "not_shown"
