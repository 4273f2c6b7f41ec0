"""Survey answers and variants that hooks lack are asked for once, and become attributes."""

from __future__ import annotations

import pytest

from pipeline.core.messages import BACKFILL_PRIORITY, LIVE_PRIORITY
from pipeline.ledger.backfills import insert_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.lookups import list_due_stores
from pipeline.ledger.schema import core
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.store_apis import delete_store_api
from pipeline.recording.api_page import ApiPage, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from schemas import load
from tests.builders import BUYER, subscription
from tests.pipeline.lookups.conftest import ASKED

EMAIL = BUYER["email"]
VARIANTS = [{"name": "Size", "value": "M"}]
PLAIN = {"id": 64, "name": "Sample Box", "sku": "SQ1-M"}
WITH_VARIANTS = {**PLAIN, "variants": VARIANTS}
SURVEY = load(
    "survey",
    {
        "id": 5,
        "subscription_id": 7021,
        "answers": [
            {"field": {"id": 11, "name": "Allergies", "type": 0}, "value": "nuts|soy"},
            {"field": {"id": 12, "name": "Birthday", "type": 5}, "value": "02/29/1988"},
        ],
    },
).data


def answers(attributes):
    return {name: value for name, value in attributes.items() if name.startswith(("survey_", "variant_"))}


def test_what_a_hook_lacks_is_found_and_leads_to_a_profile(lookups):
    lookups.api.surveys, lookups.api.objects = [SURVEY], {("product_instances", 64): WITH_VARIANTS}
    recorded = lookups.record("subscription_new", subscription(product_instance=PLAIN))
    before = len(lookups.recorder.sent("profile"))

    run = lookups.run()

    assert (recorded.stores_to_ask, run.answers, run.resume_in_s) == ((1,), 2, None)
    assert lookups.states() == {"survey 7021": "found", "variants 7021": "found"}
    assert answers(lookups.attributes(EMAIL)) == {
        "survey_allergies": "nuts, soy",
        "survey_birthday": "1988-02-29",
        "variant_size": "M",
    }
    profiles = [row for row in lookups.recorder.rows(core.Delivery) if row.kind == "profile"][before:]
    assert answers(profiles[-1].message["data"]) == answers(lookups.attributes(EMAIL))
    assert {row.priority for row in profiles} == {LIVE_PRIORITY}


def test_each_subscription_is_asked_for_once(lookups):
    for event in ("subscription_new", "subscription_updated", "subscription_renewed"):
        lookups.record(event, subscription(product_instance=PLAIN))
        lookups.run()

    assert sorted(lookups.api.asked) == ["product_instances/64", "product_survey_results"]
    assert lookups.states() == {"survey 7021": "nothing", "variants 7021": "nothing"}


def test_another_product_instance_is_asked_for_again(lookups):
    lookups.api.objects = {("product_instances", 64): WITH_VARIANTS}
    lookups.record("subscription_new", subscription(product_instance=PLAIN))
    lookups.run()
    lookups.record("subscription_updated", subscription(product_instance={"id": 65}), at=ASKED + 1)
    between = answers(lookups.attributes(EMAIL))
    lookups.api.objects["product_instances", 65] = {"id": 65, "variants": [{"name": "Size", "value": "L"}]}
    lookups.now += 2
    lookups.run()

    assert (between, answers(lookups.attributes(EMAIL))) == ({}, {"variant_size": "L"})


def test_one_answer_is_for_all_subscriptions_of_a_product_instance(lookups):
    lookups.api.objects = {("product_instances", 64): WITH_VARIANTS}
    buyers = [{"id": number, "email": f"c{number}@example.com"} for number in (1, 2, 3)]
    for buyer in buyers:
        lookups.record("subscription_new", subscription(id=buyer["id"], customer=buyer, product_instance=PLAIN))
    lookups.run()

    assert lookups.api.asked.count("product_instances/64") == 1
    assert [answers(lookups.attributes(buyer["email"])) for buyer in buyers] == [{"variant_size": "M"}] * 3


def test_a_hook_with_variants_and_one_without_an_instance(lookups):
    lookups.api.objects = {
        ("subscriptions", 2): {"id": 2, "product_instance": PLAIN},
        ("product_instances", 64): WITH_VARIANTS,
    }
    lookups.record("subscription_new", subscription(id=1, product_instance=WITH_VARIANTS))
    lookups.record("subscription_new", subscription(id=2, start_date="2026-05-01T00:00:00Z"))
    lookups.run()

    assert lookups.states() == {"survey 1": "nothing", "survey 2": "nothing", "variants 2": "found"}
    assert answers(lookups.attributes(EMAIL)) == {"variant_size": "M"}


@pytest.mark.parametrize(
    "body", [subscription(is_test=True), subscription(status="cancelled"), subscription(id=None, status="active")]
)
def test_tests_ended_subscriptions_and_those_without_an_id_are_not_asked_for(lookups, body):
    lookups.recorder.change_store(forward_tests=True)
    lookups.record("subscription_updated", body)

    assert lookups.states() == {}


def test_a_store_without_keys_has_no_lookups(lookups):
    with writing(lookups.recorder.engine) as conn:
        delete_store_api(conn, 1)

    assert lookups.record("subscription_new", subscription()).stores_to_ask == ()
    assert lookups.states() == {}


def test_the_surveys_of_others_are_left_out(lookups):
    lookups.api.surveys, lookups.api.filters = [{**SURVEY, "subscription_id": 9}], False
    lookups.record("subscription_new", subscription(product_instance=WITH_VARIANTS))
    lookups.run()

    assert lookups.states() == {"survey 7021": "nothing"}


def record_page(lookups, *objects):
    with writing(lookups.recorder.engine) as conn:
        store = load_stores_by_name(conn, ["acme"])["acme"]
        page = ApiPage("subscriptions", objects, lookups.now, 1, sends_profiles=False, plans_lookups=True)
        record_api_page(conn, store, page, lookups.now)


def test_what_a_backfill_lacks_is_asked_for_when_it_has_ended(lookups):
    lookups.api.surveys, engine = [SURVEY], lookups.recorder.engine
    with writing(engine) as conn:
        insert_backfill(conn, 1, "all", "subscriptions", lookups.now)
    record_page(lookups, subscription(product_instance=WITH_VARIANTS), subscription(id=8, status="expired"))
    with reading(engine) as conn:
        during = list_due_stores(conn, lookups.now)
    lookups.run()
    while_running = lookups.states()
    with writing(engine) as conn:
        conn.execute(Backfill.__table__.update().values(state="done"))
    lookups.run()

    assert (during, while_running, lookups.states()) == ([], {"survey 7021": "waiting"}, {"survey 7021": "found"})
    profiles = [row for row in lookups.recorder.rows(core.Delivery) if row.kind == "profile"]
    assert {row.priority for row in profiles} == {BACKFILL_PRIORITY}


def test_what_a_hook_lacks_is_asked_for_first(lookups):
    record_page(lookups, *(subscription(id=number, product_instance=WITH_VARIANTS) for number in (1, 2)))
    lookups.record("subscription_new", subscription(id=3, product_instance=WITH_VARIANTS))
    lookups.api.failures = [RuntimeError("stop")]
    with pytest.raises(RuntimeError):
        lookups.run()
    waiting = {row.subject_id: row.is_live for row in lookups.recorder.rows(Lookup)}

    lookups.run()
    order = sorted(lookups.recorder.rows(Lookup), key=lambda row: (row.asked_at, not row.is_live))
    assert waiting == {1: False, 2: False, 3: True}
    assert order[0].subject_id == 3
