import pytest

from pipeline.core.errors import StaleFence
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import writing
from pipeline.ledger.removals import begin_deletion, request_removal
from pipeline.ledger.schema import core
from pipeline.ledger.schema.consent import StoreSource
from tests.builders import BUYER, HOUR, NOW, RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder

BUYERS = BUYER["email"]


def failure(hook, reason="not_json"):
    head = ("entry_id", "receipt", "store", "version", "event", "received_at", "source")
    return {**{key: hook[key] for key in head}, "stage": "decode", "reason": reason, "detail": {}}


def test_a_profile_leaves_before_its_event(recorder):
    recorder.record_one("order_new", order())
    assert [(row.kind, row.name) for row in recorder.rows(core.Delivery)] == [("profile", None), ("event", "order_new")]


def test_an_event_is_kept_with_its_raw_bytes(recorder):
    recorder.record_one("order_new", order())
    (event,), (body,) = recorder.rows(core.Event), recorder.rows(core.Body)
    assert (event.name, event.subject_id, event.outcome) == ("order_new", 7015, "forwarded")
    assert decompress(body.raw) == b"raw"


def test_the_same_order_twice_has_one_effect_and_is_counted(recorder):
    first, again = recorder.record_one("order_new", order()), recorder.record_one("order_new", order())
    assert (first.events, again.events, again.duplicates) == (1, 0, 1)
    assert [row.duplicates for row in recorder.rows(core.Event)] == [1]
    assert recorder.sent() == [(BUYERS, "order_new")]


def test_a_repeat_within_one_batch_is_counted_too(recorder):
    found = recorder.record(*(recorder.hook("order_new", order()) for _ in range(3)))
    assert (found.events, found.duplicates) == (1, 2)
    assert found.outcomes == {("order_new", "forwarded"): 1, ("order_new", "duplicate"): 2}
    assert [row.duplicates for row in recorder.rows(core.Event)] == [2]


def test_every_receipt_leads_to_its_event_repeats_too(recorder):
    first, again = recorder.hook("order_new", order()), recorder.hook("order_new", order())
    found = recorder.record(first, again)
    (event,) = recorder.rows(core.Event)
    later = recorder.hook("order_new", order())

    assert (found.ids, found.repeats) == ({first["receipt"]: event.id}, {again["receipt"]: event.id})
    assert recorder.record(later).repeats == {later["receipt"]: event.id}


def test_the_receipt_of_a_hook_that_is_refused_leads_to_its_reason(recorder):
    hook = {**recorder.hook("order_new", order()), "store": "nobodys"}

    assert recorder.record(hook).dead_reasons == {hook["receipt"]: "unknown_store"}


def test_hooks_that_died_are_an_outcome_of_their_event(recorder):
    unreadable, stray = recorder.hook("order_new", None), recorder.hook("shipment_shipped", shipment(), store="nobodys")
    found = recorder.record(recorder.hook("order_new", order()), stray, failed=[failure(unreadable)])

    assert found.outcomes == {("order_new", "forwarded"): 1, ("order_new", "dead"): 1, ("shipment_shipped", "dead"): 1}


def test_the_same_receipt_again_is_a_retry_and_no_duplicate(recorder):
    hook = recorder.hook("order_new", order())
    recorder.record(hook)
    assert recorder.record(hook).duplicates == 0
    assert [row.duplicates for row in recorder.rows(core.Event)] == [0]


def test_two_renewals_are_two_events(recorder):
    for month in ("05", "06"):
        recorder.record_one("subscription_renewed", subscription(end_date=f"2026-{month}-15T00:00:00Z"))
    assert recorder.sent() == [(BUYERS, "subscription_renewed")] * 2


def test_an_update_repeated_across_midnight_is_dropped(recorder):
    late = NOW // (24 * HOUR) * 24 * HOUR + 23 * HOUR
    recorder.record_one("order_updated", order(), at=late)
    assert recorder.record_one("order_updated", order(), at=late + 2 * HOUR).duplicates == 1


def test_a_gift_reaches_both_once(recorder):
    recorder.record_one("order_new", gift_order())
    assert recorder.sent() == [(BUYERS, "order_new"), (RECIPIENT, "order_new")]
    assert len({row.message_id for row in recorder.rows(core.Delivery)} - {None}) == 2


def test_a_recipient_is_a_person_by_email_and_marked(recorder):
    recorder.record_one("order_new", gift_order())
    person = recorder.rows(core.Person)[1]
    assert (person.customer_id, person.email, person.attributes["gift_recipient"]) == (None, RECIPIENT, True)


def test_a_box_shipped_later_reaches_the_recipient_from_memory(recorder):
    recorder.record_one("subscription_new", subscription(subscription_gift_info=gift_info()))
    recorder.record_one("shipment_shipped", shipment())
    assert recorder.sent()[2:] == [(BUYERS, "shipment_shipped"), (RECIPIENT, "shipment_shipped")]


def test_a_box_reported_before_its_gift_in_the_same_batch_reaches_the_recipient(recorder):
    gift = subscription(subscription_gift_info=gift_info())
    recorder.record(recorder.hook("shipment_shipped", shipment()), recorder.hook("subscription_new", gift))
    assert (RECIPIENT, "shipment_shipped") in recorder.sent()


def test_a_box_recorded_long_before_its_gift_reaches_the_recipient_once_the_gift_is_known(recorder):
    recorder.record_one("shipment_shipped", shipment())
    recorder.record_one("subscription_new", subscription(subscription_gift_info=gift_info()))
    recorder.record_one("subscription_renewed", subscription(end_date="2026-06-15T00:00:00Z"))
    assert [name for email, name in recorder.sent() if email == RECIPIENT].count("shipment_shipped") == 1


def test_a_recipient_who_registers_becomes_that_customer(recorder):
    recorder.record_one("order_new", gift_order())
    recorder.record_one("customer_new", customer(id=7500, email=RECIPIENT, first_name="Rory"))
    person = recorder.rows(core.Person)[1]
    assert len(recorder.rows(core.Person)) == 2
    assert (person.customer_id, person.attributes["gift_recipient"], person.attributes["first_name"]) == (
        7500,
        True,
        "Rory",
    )


def test_a_recipient_who_becomes_a_customer_is_introduced_anew_under_the_customers_id(recorder):
    recorder.record_one("order_new", gift_order())
    with recorder.engine.begin() as conn:
        conn.execute(core.ProfileSent.__table__.insert().values(connection_id=1, person_id=2))
    recorder.record_one("order_new", order(id=9, customer=customer(id=7500, email=RECIPIENT)))
    assert recorder.rows(core.ProfileSent) == []
    assert [row.kind for row in recorder.rows(core.Delivery)][-2:] == ["profile", "event"]


def test_an_address_in_other_letters_is_no_second_person(recorder):
    recorder.record_one("order_new", gift_order(order_gift_info=gift_info(gift_recipient_email=BUYERS)))
    assert recorder.sent() == [(BUYERS, "order_new")]
    assert recorder.rows(core.Event)[0].notes == [{"code": "recipient_is_buyer"}]


def test_a_recipient_who_turns_out_to_be_the_buyer_by_id_gets_one_copy(recorder):
    recorder.record_one("customer_new", customer(email=RECIPIENT))
    recorder.record_one("order_new", gift_order(customer={"id": 7001, "link": "/v1/customers/7001"}))
    assert recorder.sent()[1:] == [(RECIPIENT, "order_new")]


def test_a_person_without_an_address_gets_nothing_and_the_event_says_so(recorder):
    recorder.record_one("order_new", order(customer={"id": 7001}))
    (event,) = recorder.rows(core.Event)
    assert recorder.rows(core.Delivery) == []
    assert (event.outcome, event.notes) == ("nobody", [{"code": "no_email", "role": "customer"}])


def test_a_link_to_a_known_customer_is_enough(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("shipment_shipped", shipment(customer={"id": 7001, "link": "/v1/customers/7001"}))
    assert recorder.sent()[-1] == (BUYERS, "shipment_shipped")


def test_a_transaction_that_names_only_its_order_reaches_the_orders_customer(recorder):
    recorder.record_one("order_new", order())
    recorder.record_one("transaction_new", {"transaction": {"id": 7041, "result": "captured"}, "order": {"id": 7015}})
    assert recorder.sent()[-1] == (BUYERS, "transaction_new")


def test_an_event_whose_customer_is_unknown_says_so(recorder):
    recorder.record_one("transaction_new", {"transaction": {"id": 7041}, "order": {"id": 7015}})
    (event,) = recorder.rows(core.Event)
    assert (event.outcome, event.notes) == ("nobody", [{"code": "customer_missing"}])


def test_a_change_of_address_keeps_the_person(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("billing_updated", customer(email="new@example.com"))
    assert [(row.customer_id, row.email) for row in recorder.rows(core.Person)] == [(7001, "new@example.com")]


def test_an_unchanged_profile_is_not_sent_again(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("address_updated", customer(), body={"another": "body"})
    assert len(recorder.sent("profile")) == 1


def test_what_is_gone_from_a_profile_is_cleared(recorder):
    recorder.record_one("subscription_new", subscription())
    recorder.record_one("subscription_cancelled", subscription(status="cancelled", autorenew=False))
    last = [row.message["data"] for row in recorder.rows(core.Delivery) if row.kind == "profile"][-1]
    assert last["next_renewal_at"] is None


@pytest.mark.parametrize("event", ["shipment_address_updated"])
def test_an_event_that_is_only_recorded_still_teaches(recorder, event):
    recorder.record_one(event, shipment())
    assert (recorder.sent(), recorder.sent("profile")) == ([], [(BUYERS, None)])
    assert recorder.rows(core.Event)[0].outcome == "recorded"


def test_a_store_may_switch_an_event_on(recorder):
    recorder.change_store(forward_also=["shipment_address_updated"])
    recorder.record_one("shipment_address_updated", shipment())
    assert recorder.sent() == [(BUYERS, "shipment_address_updated")]


def test_a_test_object_is_recorded_and_teaches_nothing(recorder):
    recorder.record_one("order_new", gift_order(is_test=True))
    (event,) = recorder.rows(core.Event)
    assert (event.is_test, event.outcome, recorder.rows(core.Person), recorder.rows(core.Gift)) == (
        True,
        "test",
        [],
        [],
    )


def test_a_store_may_switch_test_objects_on(recorder):
    recorder.change_store(forward_tests=True)
    recorder.record_one("order_new", order(is_test=True))
    assert recorder.sent() == [(BUYERS, "order_new")]
    assert recorder.rows(core.Person)[0].attributes["is_test"] is True


def test_an_unknown_event_is_recorded(recorder):
    recorder.record_one("box_exploded", {"id": 5, "anything": True})
    (event,) = recorder.rows(core.Event)
    assert (event.name, event.outcome, event.data) == ("box_exploded", "unknown_event", {"id": 5, "anything": True})


def test_every_connection_gets_its_own_messages(engine):
    recorder = HookRecorder(engine, connections=2)
    found = recorder.record_one("order_new", order())
    assert (found.connections, recorder.sent()) == ((1, 2), [(BUYERS, "order_new")] * 2)


def test_a_new_connection_gets_the_profile_of_a_person_who_did_not_change(engine):
    recorder = HookRecorder(engine, connections=0)
    recorder.record_one("customer_new", customer())
    assert recorder.rows(core.Event)[0].outcome == "no_connection"
    with engine.begin() as conn:
        wire = {"platform": "customerio", "label": "", "account": "1", "config": b"", "status_at": NOW}
        row = {**wire, "id": 1, "store_id": 1, "status": "active", "lanes": 1, "created_at": NOW}
        conn.execute(core.StoreConnection.__table__.insert().values(**row))
    recorder.record_one("address_updated", customer())
    assert [row.kind for row in recorder.rows(core.Delivery)] == ["profile", "event"]


def test_one_persons_messages_share_a_lane(engine):
    recorder = HookRecorder(engine, lanes=4)
    for number in range(3):
        recorder.record_one("order_new", order(id=number))
    assert len({row.lane for row in recorder.rows(core.Delivery)}) == 1


def test_an_older_hook_processed_late_does_not_turn_the_profile_back(recorder):
    recorder.record_one("billing_updated", customer(first_name="Newer"), at=NOW + 5 * HOUR)
    recorder.record_one("address_updated", customer(first_name="Older"), at=NOW)
    assert recorder.rows(core.Person)[0].attributes["first_name"] == "Newer"


def test_a_holder_that_was_outrun_writes_nothing(recorder):
    recorder.record(recorder.hook("order_new", order()), token=5)
    with pytest.raises(StaleFence):
        recorder.record(recorder.hook("order_new", order(id=2)), token=4)
    assert len(recorder.rows(core.Event)) == 1


def test_a_batch_without_hooks_changes_nothing(recorder):
    assert recorder.record().events == 0


def test_a_hook_of_a_removed_store_leaves_nothing(recorder):
    with writing(recorder.engine) as conn:
        request_removal(conn, 1, NOW, leaves_hooks=True)
        begin_deletion(conn, 1, NOW)
    found = recorder.record(recorder.hook("order_new", order()), failed=[failure(recorder.hook("order_new", None))])

    assert (found.events, found.dead, found.dead_reasons) == (0, 0, {})
    assert recorder.rows(core.Event) == recorder.rows(core.DeadHook) == []


def test_a_source_is_noted_once_with_an_example_and_no_personal_data(recorder):
    recorder.record_one("order_new", {**order(), "source": 2})
    recorder.record_one("order_new", {**order(), "id": 7099, "source": "2"})
    (row,) = recorder.rows(StoreSource)

    assert (row.value, row.orders, [one["id"] for one in row.examples]) == ("2", 0, [7015])
    assert row.examples[0].keys() == {"kind", "id", "at"}
