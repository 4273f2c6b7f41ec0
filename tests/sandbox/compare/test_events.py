import pytest

from sandbox.compare import compare
from sandbox.compare.truth import FORWARDED
from tests.sandbox.compare.builders import TruthBuilder, event, giver, person, recipient

GIFT = {"recipient": {"email": "gift@example.com"}, "gift": True}


def totals(report):
    content = report.as_json()
    return {name: content[name] for name in ("expected", "delivered", "missing", "unexpected", "twice")}


def test_what_was_promised_and_arrived_once_is_clean():
    truth = TruthBuilder()
    truth.happen("customer_new", 7)
    truth.happen("order_new", 1)

    report = compare(truth.as_json(), [giver(event("customer_new", 7), event("order_new", 1))])

    assert report.is_clean
    assert totals(report) == {"expected": 2, "delivered": 2, "missing": 0, "unexpected": 0, "twice": 0}


def test_a_gift_is_expected_at_giver_and_recipient():
    truth = TruthBuilder()
    truth.happen(**GIFT)

    report = compare(truth.as_json(), [giver(event()), recipient(event())])

    assert report.is_clean
    assert report.as_json()["expected"] == 2
    assert report.gift_recipients == 1


def test_who_gives_to_himself_gets_one_event():
    truth = TruthBuilder()
    truth.happen(recipient={"email": "giver@example.com"}, gift=True)

    assert compare(truth.as_json(), [giver(event(), gift_recipient=True)]).is_clean


def test_an_absent_event_is_missing_and_named_by_ids():
    truth = TruthBuilder()
    truth.happen("order_new", 1)
    truth.happen("order_new", 2)

    report = compare(truth.as_json(), [giver(event(subject_id=1))])

    assert not report.is_clean
    (difference,) = report.as_json()["differences"]
    assert {name: difference[name] for name in ("kind", "event", "subject_id", "count", "happenings")} == {
        "kind": "missing",
        "event": "order_new",
        "subject_id": "2",
        "count": 1,
        "happenings": (2,),
    }


def test_a_person_who_is_not_there_is_named_without_an_address():
    truth = TruthBuilder()
    truth.happen(**GIFT)

    report = compare(truth.as_json(), [])

    assert totals(report)["missing"] == 2
    assert "@" not in str(report.as_json())


def test_a_repeated_event_came_twice():
    truth = TruthBuilder()
    truth.happen()

    report = compare(truth.as_json(), [giver(event(), event())])

    assert totals(report) == {"expected": 1, "delivered": 1, "missing": 0, "unexpected": 0, "twice": 1}


def test_an_event_no_one_knows_of_is_unexpected():
    truth = TruthBuilder()
    truth.happen()

    report = compare(truth.as_json(), [giver(event(), event("order_new", 99))])

    assert totals(report)["unexpected"] == 1


def test_several_updates_of_one_order_are_counted():
    truth = TruthBuilder()
    for _ in range(3):
        truth.happen("order_updated", 1)

    assert compare(truth.as_json(), [giver(*[event("order_updated", 1)] * 3)]).is_clean
    assert totals(compare(truth.as_json(), [giver(*[event("order_updated", 1)] * 2)]))["missing"] == 1


def test_renewals_differ_by_the_end_of_their_period():
    truth = TruthBuilder()
    truth.happen("subscription_renewed", 3)
    truth.happen("subscription_renewed", 3)
    march, april = ({"subscription": {"end_date": date}} for date in ("2026-03-01", "2026-04-01"))

    right = compare(truth.as_json(), [giver(*(event("subscription_renewed", 3, **end) for end in (march, april)))])
    wrong = compare(truth.as_json(), [giver(*(event("subscription_renewed", 3, **end) for end in (march, march)))])

    assert right.is_clean
    assert (totals(wrong)["missing"], totals(wrong)["twice"]) == (1, 1)


@pytest.mark.parametrize("fate", [{"lost": True}, {"broken": True}, {"accepted": 0, "posts": 2}])
def test_what_no_one_answered_for_is_neither_missed_nor_minded(fate):
    truth = TruthBuilder()
    truth.happen("customer_new", 7)
    truth.happen("order_new", 1, **fate)

    absent = compare(truth.as_json(), [giver(event("customer_new", 7))])
    repaired = compare(truth.as_json(), [giver(event("customer_new", 7), event("order_new", 1))])

    assert absent.is_clean
    assert repaired.is_clean
    assert repaired.as_json()["unpromised"] == 1


def test_test_orders_are_forwarded_only_on_demand():
    truth = TruthBuilder()
    truth.happen("customer_new", 7)
    truth.happen(test=True)
    people = [giver(event("customer_new", 7), event())]

    assert totals(compare(truth.as_json(), people))["unexpected"] == 1
    assert compare(truth.as_json(), people, forward_tests=True).is_clean


def test_events_customerio_does_not_list_are_forwarded_only_on_demand():
    truth = TruthBuilder()
    truth.happen("customer_new", 7)
    truth.happen("design_updated", 4)
    people = [giver(event("customer_new", 7), event("design_updated", 4))]

    assert totals(compare(truth.as_json(), people))["unexpected"] == 1
    assert compare(truth.as_json(), people, forward_also=["design_updated"]).is_clean


def test_a_happening_of_no_one_is_expected_nowhere():
    truth = TruthBuilder()
    truth.happen("checkout_failed", 5, person=None)

    assert compare(truth.as_json(), []).is_clean


def test_fourteen_events_are_forwarded():
    assert len(set(FORWARDED)) == 14


def test_the_order_of_arrival_is_compared_with_the_order_of_happening():
    truth = TruthBuilder()
    for subject_id in (1, 2, 3):
        truth.happen(subject_id=subject_id)

    def late(*order):
        return compare(truth.as_json(), [giver(*(event(subject_id=number) for number in order))]).out_of_order

    assert [late(1, 2, 3), late(1, 3, 2), late(3, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize("fate", [{"sent_at": 1}, {"posts": 2}])
def test_the_order_does_not_count_where_the_store_itself_sent_it_otherwise(fate):
    truth = TruthBuilder()
    truth.happen(subject_id=1)
    truth.happen(subject_id=2, **fate)

    assert compare(truth.as_json(), [giver(event(subject_id=2), event(subject_id=1))]).out_of_order == 0


def test_a_person_without_an_address_is_found_by_the_end_of_the_id():
    truth = TruthBuilder()
    truth.happen()

    report = compare(truth.as_json(), [person(None, event(), id="shop_7")])

    assert totals(report)["missing"] == 0
    assert [wrong.why for wrong in report.wrong_people] == ["has another e-mail address"]


LOST = {"lost": True, "sent_at": None, "posts": 0, "accepted": 0}


@pytest.mark.parametrize(("arrived", "missing"), [((), 1), ((event("order_new", 1),), 0)])
def test_what_is_repaired_must_be_there_although_its_hook_was_lost(arrived, missing):
    truth = TruthBuilder()
    truth.happen("order_new", 1, **LOST)

    report = compare(truth.as_json(), [giver(*arrived)], repaired=["order_new"])

    assert totals(report)["missing"] == missing


def test_a_renewal_no_one_can_see_any_more_need_not_be_repaired():
    truth = TruthBuilder()
    truth.happen("subscription_renewed", 1, **LOST)
    truth.happen("subscription_renewed", 1)

    assert compare(truth.as_json(), [giver(event("subscription_renewed"))], repaired=["subscription_renewed"]).is_clean
