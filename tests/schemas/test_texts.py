"""Texts, addresses of people, and status words."""

import pytest

from schemas import InvalidBody, load


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        ("  Maren Quill ", "Maren Quill"),
        ("Maren  Quill", "Maren  Quill"),  # double spaces are the customer's own
        ("", None),
        (" \n ", None),
        ("\xa0", None),
        (None, None),
        ('He said "hi"\nbye <b>\U0001f381</b>', 'He said "hi"\nbye <b>\U0001f381</b>'),
        ("a\0b", "ab"),
        ("\0", None),
        ("\u202aMaren\u202c \u200bQu\u00adill\ufeff\x07", "Maren Quill"),
        ("\u200b", None),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),  # a joiner spells
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("a\ud83cb", "a\ufffdb"),
        ("\ud83c\udf81", "\U0001f381"),
        (55802, "55802"),
        (1.5, "1.5"),
    ],
)
def test_a_text_is_trimmed_cleaned_and_never_empty(sent, loaded):
    assert load("customer", {"name": sent}).data == {"name": loaded}


@pytest.mark.parametrize("sent", [True, [], {}, ["a"], float("nan")])
def test_what_is_no_text_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("customer", {"name": sent})

    assert refused.value.errors == {"name": ["is not text"]}


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        (" Maren.Quill@Example.ORG\n", "maren.quill@example.org"),
        ("not an address", "not an address"),
        ("", None),
        (None, None),
    ],
)
def test_an_email_is_trimmed_and_lower_case_but_not_judged(sent, loaded):
    assert load("customer", {"email": sent}).data == {"email": loaded}


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        ("active", "active"),
        ("Active", "active"),
        ("canceled", "cancelled"),
        ("Cancelled", "cancelled"),
        ("past_due", "past_due"),
        ("pastdue", "past_due"),
        ("Past Due", "past_due"),
        (" Past  Due ", "past_due"),
        ("", None),
        (None, None),
        ("on the moon", "on_the_moon"),
        (42, "42"),
        (3.0, "cancelled"),
    ],
)
def test_a_status_is_one_lower_case_word(sent, loaded):
    assert load("subscription", {"status": sent}).data == {"status": loaded}


@pytest.mark.parametrize("sent", [True, [], {}, 1.5])
def test_what_is_no_status_is_refused(sent):
    with pytest.raises(InvalidBody) as refused:
        load("subscription", {"status": sent})

    assert refused.value.errors == {"status": ["is not a word or a number"]}


@pytest.mark.parametrize(
    ("name", "field", "words"),
    [
        (
            "subscription",
            "status",
            "unpaid active cancelled suspended expired past_due pending_renewal renewing unpaid_order_failed",
        ),
        ("order", "status", "open closed"),
        ("order", "fulfillment_status", "unfulfilled partial fulfilled"),
        ("order", "transaction_fee_status", "paid pending_renewal unpaid"),
        ("shipment", "status", "unshipped shipped cancelled"),
        ("transaction", "result", "authorized captured failed refunded failed_refund"),
    ],
)
def test_the_numbers_of_a_status_mean_its_words(name, field, words):
    expected = words.split()

    as_numbers = [load(name, {field: number}).data[field] for number in range(1, len(expected) + 1)]
    as_texts = [load(name, {field: str(number)}).data[field] for number in range(1, len(expected) + 1)]

    assert as_numbers == as_texts == expected


def test_a_number_no_table_has_passes_as_text():
    assert load("order", {"status": 3, "financial_status": 2}).data == {"status": "3", "financial_status": "2"}
