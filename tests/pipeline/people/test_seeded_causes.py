"""Each cause is seeded through recording, lanes and reconciliation as they are, and gives its own sentence."""

from __future__ import annotations

import json
import shutil

import pytest

from pipeline.core.messages import CallRecord, ConnectionBroken, Rejected, Reply, RetryAfter, Sent
from pipeline.ledger.engine import reading
from pipeline.operations.pause import MANUAL_PAUSE
from pipeline.people.answers import load_answers
from tests.builders import BUYER, HOUR, NOW, gift_info, gift_order, order, shipment
from tests.pipeline.delivery.fake_destination import always
from tests.pipeline.people.shop import DAY, SECOND, Shop


@pytest.fixture
def shop(engine):
    return Shop(engine)


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


def limited(messages):
    """Accepts, and refuses another call of the same second for the rate."""
    calls = [
        CallRecord("POST", "/batch", 200, NOW + SECOND, 5, len(messages)),
        CallRecord("POST", "/batch", 429, NOW + SECOND, 5, 0),
    ]
    return Reply(tuple(Sent() for _ in messages), tuple(calls))


def refuse_events(messages):
    outcomes = [Sent() if one.kind == "profile" else Rejected("refused", "name is too long") for one in messages]
    return Reply(tuple(outcomes), (CallRecord("POST", "/batch", 207, NOW + SECOND, 5, len(messages)),))


def sent(shop):
    shop.report()
    shop.send()


def waiting_in_its_lane(shop):
    shop.report()


def waiting_after_failures(shop):
    shop.report()
    shop.send(always(RetryAfter(None, "answered 503"), 503))
    shop.send(always(RetryAfter(30.0, "answered 503"), 503), at=NOW + 120 * SECOND)


def waiting_for_the_rate(shop):
    shop.report()
    shop.budget.waits.append(20.0)
    shop.send()


def waiting_because_the_key_is_refused(shop):
    shop.report()
    shop.send(always(ConnectionBroken("the credentials were refused (401)"), 401))


def waiting_because_paused_by_hand(shop):
    shop.report()
    shop.pause(MANUAL_PAUSE)


def refused(shop):
    shop.report()
    shop.send(refuse_events)


def withheld(shop):
    shop.change_store(marketplace_sources=["2"], storefront_sources=["1"])
    shop.report(data=order(source=2))


def waiting_for_an_answer_about_sources(shop):
    shop.change_store(marketplace_sources=["2"], storefront_sources=["1"])
    shop.report(data=order(source=3))


def withheld_until_the_person_bought_at_the_storefront(shop):
    withheld(shop)
    shop.report(data=order(id=9, source=1))


def switched_off(shop):
    shop.report("shipment_address_updated", shipment())


def recovered(shop):
    shop.compare(order(), at=NOW + DAY)
    shop.send(at=NOW + DAY + SECOND)


def recovered_too_late(shop):
    shop.compare(order(), at=NOW + 5 * DAY)
    shop.send(at=NOW + 5 * DAY + SECOND)


def recorded_only(shop):
    shop.change_store(record_only_since=NOW)
    shop.compare(order(), at=NOW + DAY)


def accepted_at_the_limit(shop):
    shop.report()
    shop.send(limited)


def erased_before_it_left(shop):
    shop.report()
    shop.erase(BUYER["email"])


T0, T1 = "2026-03-02 16:46:40 UTC", "2026-03-02 16:46:41 UTC"
WAITS = f"Waits for Customer.io since {T0}: "
KEPT = "Its bytes are kept, and it can be replayed."
LOST = "The hook never arrived"

# what is seeded -> the whole sentence on the person's page
CAUSES = {
    sent: f"Sent to Customer.io at {T1}, 1.0 s after the hook arrived.",
    waiting_in_its_lane: WAITS + "it leaves after the messages before it in its lane.",
    waiting_after_failures: WAITS
    + f"Customer.io answered 503. Tried 2 times without success since {T1}; the next try is at {T1[:11]}16:49:10 UTC.",
    waiting_for_the_rate: WAITS
    + "the account has used up its rate limit; the next call is at 2026-03-02 16:47:01 UTC.",
    waiting_because_the_key_is_refused: WAITS
    + f"the connection is paused since {T1}, because the credentials were refused (401). "
    + "It leaves once the connection is resumed.",
    waiting_because_paused_by_hand: WAITS
    + f"the connection is paused since {T1}, by hand. It leaves once the connection is resumed.",
    refused: f"Customer.io refused it at {T1}: name is too long.",
    withheld: "Withheld because the person is known only from Marketplace, and this store sends nothing about them.",
    waiting_for_an_answer_about_sources: "Withheld because it is not known yet whether the person is of the storefront "
    "or of Marketplace. It is sent if they turn out to be of the storefront.",
    switched_off: "Kept and not sent: this store does not forward shipment address updated.",
    recovered: f"{LOST}. Cratejoy's API showed the event, so it was recovered at 2026-03-03 16:46:40 UTC and sent to "
    "Customer.io at 2026-03-03 16:46:41 UTC.",
    recovered_too_late: f"{LOST}; Cratejoy's API showed the event. Sent to Customer.io at 2026-03-07 16:46:41 UTC, "
    "when it was 4 days old: Customer.io starts no campaign from an event older than 72 hours.",
    recorded_only: f"{LOST}. The event was recovered through Cratejoy's API at 2026-03-03 16:46:40 UTC, kept and not "
    "sent: this store only records what it recovers.",
    accepted_at_the_limit: f"Customer.io accepted it at {T1}, and was limiting our calls then: it may have dropped it "
    "without saying so. Look at the person there; sent again, it is not doubled.",
    erased_before_it_left: "Not sent to Customer.io: the person was erased at 2026-03-02 16:46:42 UTC.",
}


@pytest.mark.parametrize(("seed", "sentence"), CAUSES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_seeded_cause_gives_its_sentence_from_both_ends(shop, seed, sentence):
    seed(shop)
    with reading(shop.engine) as conn:
        from_the_event = load_answers(conn, [1], shop.now)

    assert [verdict.sentence for item in shop.why().events for verdict in item.verdicts] == [sentence]
    assert [verdict.sentence for answer in from_the_event for verdict in answer.verdicts] == [sentence]


@pytest.mark.parametrize(
    ("event", "data", "sentence"),
    [
        (
            "order_new",
            order(id=8, is_test=True),
            "Kept and not sent: it is a test order, and this store forwards none.",
        ),
        (
            "box_praised",
            {"by": "Bea.Buyer@example.com"},
            "Kept and not sent: this version of Cratewire does not know the event box praised.",
        ),
    ],
)
def test_an_event_that_concerns_no_one_and_names_the_person_is_in_the_answer(shop, event, data, sentence):
    sent(shop)
    hook = shop.hook(event, data)
    shop.record(hook, raws={hook["entry_id"]: (json.dumps(data).encode(), None)})

    assert [verdict.sentence for item in shop.why().unlinked for verdict in item.verdicts] == [sentence]
    assert shop.why(name="customer_new").unlinked == ()


def test_an_order_that_only_the_api_shows_never_arrived(shop):
    shop.show_in_api(order(placed_at="2026-03-02T17:04:31Z"))

    assert [verdict.sentence for verdict in shop.why(at=NOW + DAY).missing] == [
        "No hook has ever reported order 7015 of 2 March 2026, though Cratejoy's API shows it."
    ]


def test_an_order_from_before_the_store_was_connected_is_no_event(shop):
    shop.show_in_api(order(placed_at="2026-01-30T17:04:31Z"))

    assert [verdict.sentence for verdict in shop.why(at=NOW + DAY).missing] == [
        "Order 7015 of 30 January 2026 is from before the store was connected: it is in the profile, and is no event."
    ]


def test_a_hook_that_cannot_be_read_and_names_the_person_is_found(shop):
    shop.report()
    shop.receive(b'{"id": 7777, "customer": {"email": "bea.buyer@exa')
    shop.receive(b'{"id": 7778, "customer": {"id": 7001, "email": "bea')
    found = shop.why().unreadable

    assert [hook.verdict.sentence for hook in found] == [
        f"A hook that names the person (order new) arrived at {T0} and could not be read: not json. {KEPT}"
    ]


def test_a_gift_that_has_another_recipient_by_now_says_so(shop):
    shop.report("order_new", gift_order())
    shop.send()
    shop.report(
        "order_updated", gift_order(order_gift_info=gift_info(gift_recipient_email="new@example.com")), at=NOW + HOUR
    )

    assert [verdict.sentence for item in shop.why(2, name="order_new").events for verdict in item.verdicts] == [
        "Sent to Customer.io at 2026-03-02 16:46:41 UTC. The gift has another recipient since then."
    ]


def test_an_event_of_another_kind_is_not_in_the_answer(shop):
    sent(shop)

    assert shop.why(name="customer_new").events == ()
    assert shop.why(since=NOW + HOUR).events == ()
    assert len(shop.why(name="order_new", since=NOW).events) == 1


def test_what_was_withheld_before_the_person_was_of_the_storefront_says_so(shop):
    withheld_until_the_person_bought_at_the_storefront(shop)
    shop.send()

    assert [verdict.cause for item in shop.why().events for verdict in item.verdicts] == ["sent", "withheld_before"]


def test_a_person_with_nothing_missing_has_nothing_missing(shop):
    sent(shop)

    assert (shop.why(at=NOW + DAY).missing, shop.why().unreadable) == ((), ())
