import pytest

from sandbox.compare import compare
from tests.sandbox.compare.builders import GIVER, TruthBuilder, event, giver, person, recipient

GIFT = {"recipient": {"email": "gift@example.com"}, "gift": True}


@pytest.fixture
def truth() -> TruthBuilder:
    truth = TruthBuilder()
    truth.happen(**GIFT)
    return truth


def complaints(truth, *people):
    return [wrong.why for wrong in compare(truth.as_json(), people).wrong_people]


def test_giver_and_recipient_as_they_should_be_raise_no_complaint(truth):
    assert complaints(truth, giver(event(total=999)), recipient(event(box="Tea"))) == []


def test_a_recipient_must_be_marked(truth):
    assert complaints(truth, giver(event()), recipient(event(), gift_recipient="yes")) == ["gift_recipient is not true"]


@pytest.mark.parametrize("value", [True, False, None])
def test_no_one_may_have_unsubscribed_set(truth, value):
    assert complaints(truth, giver(event(), unsubscribed=value), recipient(event())) == ["unsubscribed is set"]


def test_a_person_who_is_there_twice_is_wrong(truth):
    double = person(None, id="other_7")

    assert complaints(truth, giver(event()), double, recipient(event())) == ["is there 2 times"]


def test_a_person_the_store_does_not_know_is_wrong(truth):
    stranger = person("stranger@example.com")

    assert complaints(truth, giver(event()), recipient(event()), stranger) == ["is no one we know"]


def test_a_customer_without_happenings_is_known(truth):
    truth.people.append({"customer_id": 8, "email": "quiet@example.com"})

    assert complaints(truth, giver(event()), recipient(event()), person("quiet@example.com", id="shop_8")) == []


@pytest.mark.parametrize("email", ["then@example.com", "now@example.com"])
def test_the_address_last_sent_and_the_present_one_are_both_right(email):
    truth = TruthBuilder()
    truth.people = [GIVER | {"email": "now@example.com"}]
    truth.happen(subject_id=1)
    truth.happen(subject_id=2, person={"customer_id": 7, "email": "then@example.com"})

    assert complaints(truth, person(email, event(subject_id=1), event(subject_id=2), id="shop_7")) == []


@pytest.mark.parametrize(
    "data",
    [
        {"total": 1},
        {"unit_price": 1},
        {"order": {"lines": [{"refundAmount": 1}]}},
        {"taxes": 1},
        {"subtotal": 1},
        {"handling_fee": 1},
        {"store_credit": 1},
        {"discount_code": "TEA"},
        {"revenue": 1},
    ],
)
def test_a_recipient_gets_no_amount(truth, data):
    (complaint,) = complaints(truth, giver(event()), recipient(event(**data)))

    assert "reveals an amount" in complaint


def test_a_coffee_is_no_fee(truth):
    assert complaints(truth, giver(event()), recipient(event(coffee="dark", taxonomy="x"))) == []


def test_a_recipient_does_not_get_the_givers_address(truth):
    received = recipient(event(note=["Write to Giver@Example.com!"]))

    assert complaints(truth, giver(event()), received) == ["order_new 1 reveals the giver's e-mail address"]


def test_a_recipient_does_not_get_the_givers_last_name(truth):
    assert complaints(truth, giver(event()), recipient(event(sender="Ann MARLOW"))) == [
        "order_new 1 reveals the giver's last name"
    ]


def test_a_last_name_that_both_share_reveals_nothing(truth):
    assert complaints(truth, giver(event()), recipient(event(to="Kim Marlow"), last_name="Marlow")) == []


def test_a_recipients_own_order_may_show_its_amounts(truth):
    truth.people.append({"customer_id": 9, "email": "gift@example.com"})
    truth.happen("order_new", 2, person={"customer_id": 9, "email": "gift@example.com"})
    own = event("order_new", 2, total=5)

    assert complaints(truth, giver(event()), recipient(event(), own)) == []
