"""Ids, amounts, counts, weights, and flags."""

import pytest

from schemas import InvalidBody, load


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        (7118352611, 7118352611),
        ("7118352611", 7118352611),
        (7118352611.0, 7118352611),
        (12345678901234, 12345678901234),
        (2**63 - 1, 2**63 - 1),
        (" 12 ", 12),
        ("", None),
        (None, None),
    ],
    ids=repr,
)
def test_an_id_is_a_whole_number(sent, loaded):
    assert load("order", {"id": sent}).data == {"id": loaded}


@pytest.mark.parametrize(
    "sent", [True, 1.5, "seven", "1_0", "\u0661", [], {}, float("nan"), float("inf"), 1e300, "9" * 30], ids=repr
)
def test_what_is_no_id_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("order", {"id": sent})

    assert refused.value.errors == {"id": ["is not an id"]}


@pytest.mark.parametrize("sent", [-1, 2**63, "9999999999999999999"], ids=repr)
def test_an_id_beyond_the_database_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("order", {"id": sent})

    assert refused.value.errors == {"id": ["is out of range"]}


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [(2990, 2990), ("2990", 2990), ("-2990", -2990), (-2990, -2990), (2990.0, 2990), ("", None)],
    ids=repr,
)
def test_money_is_whole_minor_units(sent, loaded):
    assert load("order", {"total": sent}).data == {"total": loaded}


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        (5.95, 595),
        (34.95, 3495),
        ("12.50", 1250),
        ("34.95", 3495),
        (12.5, 1250),
        ("12.5", 1250),
        ("12.00", 1200),
        (".5", 50),
        ("-12.50", -1250),
        (-0.07, -7),
        (0.1 + 0.2, 30),
        (1234567.89, 123456789),
        (" 12.50\u200b", 1250),
    ],
    ids=repr,
)
def test_an_amount_with_a_fraction_is_money_in_whole_units(sent, loaded):
    assert load("order", {"total": sent}).data == {"total": loaded}


@pytest.mark.parametrize("sent", [False, 5.955, "5.955", "1,234.50", "12.", ".", "$5", [], float("nan")], ids=repr)
def test_what_is_no_amount_is_refused_with_the_reason(sent):
    with pytest.raises(InvalidBody) as refused:
        load("order", {"total": sent})

    assert refused.value.errors["total"] == ["is not an amount (3495 or 34.95)"]


def test_a_count_may_be_negative():
    """Boxes created by Cratejoy's staff have cycle number -1."""
    assert load("fulfillment", {"cycle_number": -1}).data == {"cycle_number": -1}


@pytest.mark.parametrize(
    ("sent", "loaded"), [(0.8125, 0.8125), ("0.8125", 0.8125), (2, 2.0), ("", None), (None, None)], ids=repr
)
def test_a_weight_need_not_be_whole(sent, loaded):
    assert load("product", {"ship_weight": sent}).data == {"ship_weight": loaded}


@pytest.mark.parametrize("sent", [True, "heavy", [], float("nan"), "inf", 10**400], ids=repr)
def test_what_is_no_weight_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("product", {"ship_weight": sent})

    assert refused.value.errors == {"ship_weight": ["is not a number"]}


@pytest.mark.parametrize("sent", [True, "True", "true", "TRUE", "yes", "Yes", "1", 1, 1.0, " true "], ids=repr)
def test_every_spelling_of_true(sent):
    assert load("order", {"is_test": sent}).data["is_test"] is True


@pytest.mark.parametrize("sent", [False, "False", "false", "no", "No", "0", 0, 0.0], ids=repr)
def test_every_spelling_of_false(sent):
    assert load("order", {"is_test": sent}).data["is_test"] is False


@pytest.mark.parametrize("sent", ["", None], ids=repr)
def test_a_flag_that_says_nothing_is_none(sent):
    assert load("order", {"is_test": sent}).data["is_test"] is None


@pytest.mark.parametrize("sent", [2, "maybe", 0.5, [], {}], ids=repr)
def test_what_is_no_flag_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("order", {"is_test": sent})

    assert refused.value.errors == {"is_test": ["is not true or false"]}
