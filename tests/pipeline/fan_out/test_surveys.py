"""How survey answers and variants become attributes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import identify_event
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import Fact, merge_fact
from pipeline.fan_out.plan import plan_event
from pipeline.fan_out.slugs import build_slug, cut_value
from pipeline.fan_out.surveys import MAX_ANSWERS, format_answer
from tests.builders import HOUR, NOW, subscription


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("Favourite scent?", "favourite_scent"),
        ("  Für wen — Größe  ", "fur_wen_grosse"),
        ("Size (US)", "size_us"),
        ("好きな色", None),
        ("?!", None),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_a_question_becomes_a_name(question, slug):
    assert build_slug(question) == slug


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (0, "nuts|soy", "nuts, soy"),
        (4, "nuts| |soy|", "nuts, soy"),
        ("check_boxes", "nuts|soy", "nuts, soy"),
        ("multiple_choice", "a|b", "a|b"),
        (1, "either|or", "either|or"),
        (2, " two\nlines ", "two\nlines"),
        (3, 4, "4"),
        (None, True, "yes"),
        (0, ["nuts", "soy"], "nuts, soy"),
        (5, "02/29/1988", "1988-02-29"),
        (5, "02/30/1988", "02/30/1988"),
        ("date", "12/01/2026", "2026-12-01"),
        (1, "", None),
        (0, "|", None),
        (1, None, None),
        (1, {"a": 1}, None),
    ],
)
def test_an_answer_is_shown_as_text(kind, value, shown):
    assert format_answer({"type": kind, "answer": value}) == shown


@pytest.mark.parametrize("text", ["é" * 501, "x" + "é" * 500, "😀" * 251])
def test_a_long_answer_is_cut_at_the_end_of_a_character(text):
    cut = cut_value(text)

    assert text.startswith(cut)
    assert 996 < len(cut.encode()) <= 1_000


def profile(*facts):
    """The attributes after (as of, fact) …"""
    known = {}
    for as_of, fact in facts:
        merge_fact(known, fact, as_of)
    return build_attributes(known, "acme", "USD", ConsentRules("forward"))


def shown(profile, prefix):
    return {name: value for name, value in profile.items() if name.startswith(prefix)}


def bought(number, **more):
    """The fact of a subscription_new."""
    row, body = EVENTS["subscription_new"], subscription(id=number, **more)
    plan = plan_event(row, body, identify_event(row, body, "", NOW), {}, "acme", "USD")
    return next(fact for fact in plan.people[0].facts if fact.kind == "subscription")


OLDER, NEWER = bought(1, start_date="2026-01-01T00:00:00Z"), bought(2, start_date="2026-02-01T00:00:00Z")


def test_the_answers_of_all_subscriptions_are_attributes_and_the_newest_active_one_counts():
    answers = [Fact("survey", "1", {"size": "S", "nickname": "Bee"}), Fact("survey", "2", {"size": "M"})]
    ended = Fact("subscription", "2", {"status": "cancelled"})

    both = [(1, OLDER), (1, NEWER), *((2, fact) for fact in answers)]
    assert shown(profile(*both), "survey_") == {"survey_size": "M", "survey_nickname": "Bee"}
    assert shown(profile(*both, (3, ended)), "survey_") == {"survey_size": "S", "survey_nickname": "Bee"}


def test_a_person_has_at_most_fifty_answers_and_those_of_the_newest_subscription_stay():
    many = {f"q{number:02}": "x" for number in range(MAX_ANSWERS)}
    found = shown(
        profile((1, OLDER), (1, NEWER), (2, Fact("survey", "1", many)), (2, Fact("survey", "2", {"z": "y"}))), "survey_"
    )

    assert (len(found), found["survey_z"], "survey_q49" in found) == (MAX_ANSWERS, "y", False)


SMALL = {"id": 64, "variants": [{"name": "Size", "value": "S"}, {"name": "Flavour", "value": "Mint"}]}
PLAIN = {"id": 65, "variants": [{"name": "Size", "value": "M"}]}


def test_the_variants_of_the_newest_active_subscription_are_attributes():
    older = bought(1, start_date="2026-01-01T00:00:00Z", product_instance=SMALL)
    newer = bought(2, start_date="2026-02-01T00:00:00Z", product_instance=PLAIN)

    assert shown(profile((1, older), (1, newer)), "variant_") == {"variant_size": "M"}


def test_another_instance_takes_the_variants_of_the_one_before_away():
    small, plain, unknown = (bought(1, product_instance=one) for one in (SMALL, PLAIN, {"id": 65}))

    assert shown(profile((1, small), (2, plain)), "variant_") == {"variant_size": "M"}
    assert shown(profile((1, small), (2, unknown)), "variant_") == {}


def test_a_body_without_variants_leaves_those_known():
    known = [(1, bought(1, product_instance=SMALL)), (2, bought(1, product_instance={"id": 64})), (3, bought(1))]

    assert shown(profile(*known), "variant_") == {"variant_size": "S", "variant_flavour": "Mint"}
    assert profile(*known) == profile(*reversed(known))


def test_a_survey_of_the_api_is_a_fact_of_its_subscription():
    answers = [{"slug": "size", "type": 1, "answer": "M"}, {"slug": "age", "type": 1, "answer": ""}]
    body = {"id": 9, "subscription_id": 7021, "answers": answers}
    row = EVENTS["subscription_new"].__class__("survey_listed", "survey", "survey", "")
    plan = plan_event(row, body, identify_event(row, body, "", NOW + HOUR), {}, "acme", "USD")

    (person,) = plan.people
    assert person.subjects == (("subscription", 7021),)
    assert [fact for fact in person.facts if fact.kind == "survey"] == [Fact("survey", "7021", {"size": "M"})]


FACTS = (
    (1, OLDER),
    (2, NEWER),
    (3, bought(1, product_instance=SMALL)),
    (4, bought(2, product_instance=PLAIN)),
    (5, Fact("survey", "1", {"size": "S", "nickname": "Bee"})),
    (6, Fact("survey", "2", {"size": "M"})),
    (7, Fact("survey", "2", {"size": "L"})),
    (8, Fact("subscription", "2", {"status": "cancelled"})),
)


@given(st.permutations(FACTS))
def test_answers_and_variants_are_the_same_in_any_order_of_arrival(mixed):
    assert profile(*mixed) == profile(*FACTS)
