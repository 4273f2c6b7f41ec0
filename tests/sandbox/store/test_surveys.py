"""Survey answers and variants: in both shapes of the API, never or not always in hooks."""

import json

import pytest

from sandbox.store.shop import surveys

SHAPES = {"surveys": "mixed", "variants": "mixed"}


@pytest.fixture
def asked(shop):
    shop.control("switches", SHAPES)
    shop.people(40)
    return shop.get("/v1/product_survey_results/?limit=100")["results"]


def test_results_have_either_shape(asked):
    assert {frozenset(one) for one in asked} == {
        frozenset({"answers", "id", "subscription_id", "type"}),
        frozenset({"answers", "id", "survey_name"}),
    }


def test_every_type_of_question_is_answered(asked):
    fields = [answer["field"] for one in asked if "type" in one for answer in one["answers"]]
    assert {field["type"] for field in fields} == set(range(6))
    assert all(set(field) == {"id", "name", "options", "type"} for field in fields)


def test_the_newer_shape_has_the_names_of_questions_and_types(asked):
    answers = [answer for one in asked if "survey_name" in one for answer in one["answers"]]
    assert {answer["type"] for answer in answers} == set(surveys.TYPE_NAMES.values())
    assert {answer["question"] for answer in answers} == {question.name for question in surveys.QUESTIONS}


def test_answers_are_empty_long_and_of_several_choices(asked):
    values = [answer.get("value", answer.get("answer")) for one in asked for answer in one["answers"]]
    assert {"", None} <= set(values)
    assert any("|" in value for value in filter(None, values))
    assert max(len(value.encode()) for value in filter(None, values)) > 2_000


def test_a_result_is_found_by_its_subscription_in_either_shape(shop, asked):
    person = next(one for one in shop.truth()["people"] if any(survey["answers"] for survey in one["surveys"]))
    survey = person["surveys"][0]
    [found] = shop.get(f"/v1/product_survey_results/?subscription_id={survey['subscription_id']}")["results"]
    values = [answer.get("value", answer.get("answer")) for answer in found["answers"]]
    assert values == [answer["value"] for answer in survey["answers"]]


def test_a_renamed_question_keeps_its_id(shop):
    shop.people(20)
    old = names_by_id(shop)
    surveys.rename_questions(shop.world.state)
    new = names_by_id(shop)
    renamed = {number for number in new if new[number] != old[number]}
    assert (old.keys(), {new[number] for number in renamed}) == (new.keys(), {"When is your birthday?"})


def names_by_id(shop):
    results = shop.get("/v1/product_survey_results/?limit=100")["results"]
    return {answer["field"]["id"]: answer["field"]["name"] for one in results for answer in one["answers"]}


def test_a_life_renames_a_question(shop, sent_events):
    shop.live(100)
    [field] = [one for one in shop.world.state.rows("survey_fields") if len(one["_names"]) > 1]
    assert field["_names"] == ["Birthday", "When is your birthday?"]


def test_no_hook_carries_an_answer(shop, recorder, sent_events):
    shop.control("switches", SHAPES)
    shop.live(150)
    assert list(shop.world.state.rows("product_survey_results"))
    assert not [one for one in recorder.received if b"survey" in one.body or b"Allergies" in one.body]


def test_instances_have_variants_in_either_shape(shop, asked):
    instances = shop.get("/v1/product_instances/?limit=100")["results"]
    variants = [variant for one in instances for variant in one["variants"]]
    assert {frozenset(one) for one in variants} == {
        frozenset({"variant_type", "variant_value"}),
        frozenset({"id", "type", "value"}),
    }


def test_without_the_switch_no_instance_has_variants(shop):
    assert not [one for one in shop.get("/v1/product_instances/?limit=100")["results"] if one["variants"]]


def test_hooks_of_subscriptions_carry_their_variants_or_lack_them(shop, recorder, sent_events):
    shop.control("switches", {"variants": "v1"})
    shop.live(300)
    bodies = [json.loads(json.loads(one.body)) for one in recorder.received if one.event == "subscription_new"]
    has_variants = {"variants" in body.get("instance", body.get("product_instance")) for body in bodies}
    assert has_variants == {True, False}


def test_the_truth_knows_the_variants_of_the_newest_active_subscription(shop, asked):
    person = next(one for one in shop.truth()["people"] if one["variants"] and one["variants"]["types"])
    newest = person["variants"]
    row = shop.get(f"/v1/subscriptions/{newest['subscription_id']}/")
    instance = shop.get(f"/v1/product_instances/{row['product_instance']['id']}/")
    assert dict(map(read_variant, instance["variants"])) == newest["types"]


def read_variant(variant):
    if "type" in variant:
        return variant["type"], variant["value"]
    return variant["variant_type"]["name"], variant["variant_value"]["value"]
