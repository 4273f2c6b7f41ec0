"""People known only from the Marketplace: nothing of theirs may be there, before or after they become known."""

import pytest

from sandbox.compare import compare
from tests.sandbox.compare.builders import GIVER, TruthBuilder, event, giver, person, recipient

BUYER = {"customer_id": 8, "email": "max@example.com", "first_name": "Max-Bakuzo", "last_name": None}
ONLY_MARKETPLACE = {"known_from": ["marketplace"], "gifts_from": [], "withheld": True}
CHANGED = {"known_from": ["marketplace", "storefront"], "gifts_from": [], "withheld": False}
UNDECIDED = {"known_from": ["marketplace"], "gifts_from": ["storefront"], "withheld": False}


def by_buyer(*, known=False, **more):
    origin = "storefront" if known else "marketplace"
    return {"person": {"customer_id": 8, "email": BUYER["email"], "at_storefront": known}, "origin": origin, **more}


@pytest.fixture
def truth():
    truth = TruthBuilder()
    truth.people = [GIVER, BUYER | ONLY_MARKETPLACE]
    truth.happen("order_new", 1, **by_buyer())
    return truth


def offences(truth, *people, **options):
    return [one.why for one in compare(truth.as_json(), people, **options).offences]


def buyer(*events, **attributes):
    return person("max@example.com", *events, id="shop_8", **attributes)


def test_a_withheld_person_is_neither_expected_nor_missing(truth):
    report = compare(truth.as_json(), [giver()])

    assert (report.is_clean, report.withheld_people, report.leaks) == (True, 1, 0)


def test_their_profile_and_their_event_are_leaks(truth):
    report = compare(truth.as_json(), [buyer(event())])

    assert not report.is_clean
    assert {one.person for one in report.offences if one.why.startswith("the ")} == {"customer 8"}
    assert {"order_new of 1 was to be withheld"} < {one.why for one in report.offences}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"from": "Max-Bakuzo"}, "a name"),
        ({"note": ["for Bakuzo!"]}, "a name"),
        ({"giver": "MAX@example.com"}, "the address"),
        ({"customer": {"id": 8}}, "the id"),
        ({"link": "/v1/customers/8/"}, "the id"),
    ],
)
def test_what_is_theirs_is_a_leak_in_anyones_data(truth, data, what):
    other = person("kim@example.com", event("order_new", 2, **data), id="shop_7")

    assert [why.partition(" is in")[0] for why in offences(truth, other)] == [what]


def test_a_name_that_someone_known_has_too_is_no_leak(truth):
    truth.people.append({"customer_id": 9, "email": "kim@example.com", "first_name": "Kim-Bakuzo", "last_name": None})

    assert not offences(truth, person("kim@example.com", id="shop_9", first_name="Kim-Bakuzo"))


def test_who_forwards_the_marketplace_expects_them(truth):
    report = compare(truth.as_json(), [buyer(event())], forwards_marketplace=True)

    assert (report.is_clean, report.withheld_people) == (True, 0)
    assert compare(truth.as_json(), [], forwards_marketplace=True).totals["missing"] == 1


def test_after_an_order_at_the_storefront_their_events_must_arrive(truth):
    truth.people = [GIVER, BUYER | CHANGED]
    truth.happen("order_new", 2, **by_buyer(known=True))

    assert compare(truth.as_json(), [buyer(event("order_new", 2))]).is_clean
    assert compare(truth.as_json(), [buyer()]).totals["missing"] == 1


def test_what_was_withheld_before_must_not_be_sent_after(truth):
    truth.people = [GIVER, BUYER | CHANGED]
    truth.happen("order_new", 2, **by_buyer(known=True))

    assert offences(truth, buyer(event("order_new", 1), event("order_new", 2))) == ["order_new of 1 was to be withheld"]


def test_what_names_no_place_may_wait_until_the_storefront_knows_them():
    truth = TruthBuilder()
    truth.people = [GIVER, BUYER | CHANGED]
    truth.happen("customer_new", 8, **by_buyer(origin=None))
    truth.happen("order_new", 2, **by_buyer(known=True))
    bought = event("order_new", 2)

    for arrived in ([bought], [event("customer_new", 8), bought]):
        assert compare(truth.as_json(), [buyer(*arrived)]).is_clean


def test_a_lost_hook_from_before_may_be_repaired_after(truth):
    truth.people = [GIVER, BUYER | CHANGED]
    truth.happen("order_new", 3, **by_buyer(lost=True, posts=0, accepted=0))
    truth.happen("order_new", 2, **by_buyer(known=True))
    both = [event("order_new", 3), event("order_new", 2)]

    for arrived in (both, both[1:]):
        assert compare(truth.as_json(), [buyer(*arrived)], repaired=["order_new"]).is_clean


def test_what_follows_a_lost_order_at_the_storefront_may_go_either_way(truth):
    truth.people = [GIVER, BUYER | CHANGED]
    truth.happen("order_new", 2, **by_buyer(known=True, lost=True, posts=0, accepted=0))
    truth.happen("billing_updated", 8, **by_buyer(known=True, origin=None))

    for arrived in ([], [event("billing_updated", 8)]):
        assert compare(truth.as_json(), [buyer(*arrived)]).is_clean


def test_a_marketplace_buyer_with_a_gift_from_the_storefront_may_go_either_way(truth):
    truth.people = [GIVER, BUYER | UNDECIDED]

    assert compare(truth.as_json(), [giver()]).is_clean
    assert compare(truth.as_json(), [giver(), buyer(event())]).is_clean


@pytest.mark.parametrize(("share", "orders", "missing"), [(0.4, 1, 0), (0.4, 2, 1), (0, 1, 1)])
def test_where_there_is_a_marketplace_who_has_not_ordered_may_go_either_way(share, orders, missing):
    truth = TruthBuilder()
    known = {"known_from": ["storefront"], "gifts_from": [], "withheld": False, "orders": orders, "test_orders": 1}
    truth.people = [GIVER, BUYER | known]
    truth.happen("customer_new", 8, **by_buyer(known=True, origin=None))

    report = compare(truth.as_json() | {"store": {"marketplace_share": share}}, [])

    assert (report.totals["missing"], report.undecided_people) == (missing, 1 - missing)


def test_a_recipient_known_only_from_marketplace_gifts_is_withheld():
    truth = TruthBuilder()
    row = {"customer_id": None, "email": "gift@example.com", "name": "Robin-Domopu"}
    truth.people = [GIVER, row | {"known_from": [], "gifts_from": ["marketplace"], "withheld": True}]
    truth.happen(recipient={"email": "gift@example.com", "at_storefront": False}, gift="gift3")

    assert compare(truth.as_json(), [giver(event())]).is_clean
    assert compare(truth.as_json(), [giver(event()), recipient(event())]).leaks == 2
    assert offences(truth, giver(event(to="Robin-Domopu")))[0].startswith("a name")


def test_a_recipient_known_at_the_storefront_gets_the_marketplaces_gift_without_its_giver(truth):
    known = {"customer_id": 9, "email": "gift@example.com", "known_from": ["storefront"], "withheld": False}
    truth.people.append(known)
    truth.happen("order_new", 2, **by_buyer(recipient={"email": "gift@example.com"}, gift="gift3"))

    assert compare(truth.as_json(), [recipient(event("order_new", 2))]).is_clean
    assert offences(truth, recipient(event("order_new", 2, giver="Max-Bakuzo")))[0].startswith("a name")


def test_a_gift_of_the_marketplace_may_be_sent_before_its_recipient_is_known(truth):
    truth.people.append({"customer_id": 9, "email": "gift@example.com", "known_from": ["storefront"]})
    truth.people[-1]["gifts_from"] = ["marketplace"]
    own = {"person": {"customer_id": 9, "email": "gift@example.com"}}
    truth.happen("customer_new", 9, **own)
    truth.happen("order_new", 2, **by_buyer(recipient={"email": "gift@example.com"}, gift="gift3"))
    truth.happen("order_new", 3, **own, origin="storefront")
    sent_events = [event("customer_new", 9), event("order_new", 2), event("order_new", 3)]

    assert compare(truth.as_json(), [recipient(*sent_events)]).is_clean
    assert compare(truth.as_json(), [recipient(sent_events[2])], repaired=["customer_new", "order_new"]).is_clean
    assert compare(truth.as_json(), [recipient(*sent_events[:2])]).totals["missing"] == 1
