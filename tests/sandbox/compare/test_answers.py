"""Consent, survey answers, variants and recipients whom only the API names."""

import pytest

from sandbox.compare import compare
from tests.sandbox.compare.builders import GIVER, TruthBuilder, event, giver, recipient

NEW = event("subscription_new", 21)
LONG = "é" * 900


def answer(value, field_id=1, type=1, shape="v1"):  # noqa: A002 - the question's
    return {"field_id": field_id, "names": ["Q"], "value": value, "type": type, "shape": shape}


def survey(*answers, subscription_id=21, gift=False):
    return {"subscription_id": subscription_id, "gift": gift, "answers": list(answers)}


def built(*surveys, **row):
    truth = TruthBuilder()
    truth.people = [GIVER | {"surveys": list(surveys), "withheld": False} | row]
    truth.happen("subscription_new", 21)
    return truth


def counts(truth, *people, kind="survey_answers"):
    found = compare(truth.as_json(), people).answers[kind]
    return found.due, found.arrived


@pytest.mark.parametrize(
    ("value", "type", "held"),
    [
        ("Bee", 1, "Bee"),
        ("nuts|soy", 0, "nuts|soy"),
        ("nuts|soy", 0, "soy, nuts"),
        ("nuts|soy", 0, ["nuts", "soy"]),
        ("02/29/1988", 5, "1988-02-29"),
        ("02/29/1988", 5, 573091200),
        ("Two\nlines", 2, "Two lines"),
        (LONG, 2, LONG[:500]),
        (LONG, 2, LONG[:498] + "…"),
    ],
)
def test_an_answer_arrived_in_any_form_that_holds_it(value, type, held):  # noqa: A002 - the question's
    assert counts(built(survey(answer(value, type=type))), giver(NEW, survey_q=held)) == (1, 1)


@pytest.mark.parametrize("held", [LONG, LONG[:300], "other"])
def test_a_long_answer_is_cut_to_its_limit_and_no_shorter(held):
    assert counts(built(survey(answer(LONG, type=2))), giver(NEW, survey_q=held)) == (1, 0)


def test_an_answer_elsewhere_does_not_count():
    assert counts(built(survey(answer("Bee"))), giver(NEW, nickname="Bee")) == (1, 0)


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_answer_is_not_due(value):
    assert counts(built(survey(answer(value))), giver(NEW)) == (0, 0)


@pytest.mark.parametrize("changes", [{"subscription_id": 99}, {"gift": True}])
def test_the_answers_of_a_gift_or_of_an_older_subscription_are_not_due(changes):
    assert counts(built(survey(answer("Bee"), **changes)), giver(NEW)) == (0, 0)


def test_a_later_answer_to_the_same_question_counts_too():
    truth = built(survey(answer("Bee")), survey(answer("Ed"), subscription_id=22))

    assert counts(truth, giver(NEW, survey_q="Ed")) == (1, 1)


def test_what_is_missing_is_named_by_id():
    report = compare(built(survey(answer("Bee", 31))).as_json(), [giver(NEW)])

    assert [one.as_json() for one in report.offences] == [
        {"kind": "survey_answers", "person": "customer 7", "why": "answer to question 31 is not there"}
    ]
    assert (report.is_clean, report.has_all_answers) == (True, False)


def test_two_questions_must_not_share_an_attribute():
    truth = built(survey(answer("Red", 1), answer("rust", 2)))
    people = [giver(NEW, survey_colour="Red"), recipient(survey_colour="rust")]
    truth.people.append({"customer_id": 8, "email": "gift@example.com", "surveys": [survey(answer("rust", 2))]})

    why = [one.why for one in compare(truth.as_json(), people).offences if one.kind == "survey_names"]

    assert why == ["shares survey_colour with another question"]


def test_a_renamed_question_must_keep_its_attribute():
    truth = built(survey(answer("Red")))

    why = [one.why for one in compare(truth.as_json(), [giver(NEW, survey_a="Red", survey_b="Red")]).offences]

    assert why == ["has 2 attributes"]


@pytest.mark.parametrize(("attributes", "arrived"), [({"variant_size": "Large"}, 1), ({"variant_size": "Small"}, 0)])
def test_variants_are_those_of_the_newest_active_subscription(attributes, arrived):
    truth = built(variants={"subscription_id": 21, "gift": False, "types": {"Size": "Large"}})

    assert counts(truth, giver(NEW, **attributes), kind="variants") == (1, arrived)


def test_variants_are_not_due_if_the_hook_that_changed_them_was_lost():
    truth = built(variants={"subscription_id": 21, "gift": False, "types": {"Size": "Large"}})
    truth.happen("subscription_updated", 21, lost=True, posts=0, accepted=0)

    assert counts(truth, giver(NEW), kind="variants") == (0, 0)


@pytest.mark.parametrize(("wanted", "held", "arrived"), [(True, True, 1), (False, False, 1), (False, True, 0)])
def test_consent_is_what_the_store_says(wanted, held, arrived):
    assert counts(built(accepts_marketing=wanted), giver(NEW, accepts_marketing=held), kind="consents") == (1, arrived)


def test_consent_is_absent_where_no_one_asked():
    report = compare(built().as_json(), [giver(NEW, accepts_marketing=True)])

    assert [one.why for one in report.offences] == ["accepts_marketing is there, unasked"]


@pytest.mark.parametrize("people", [[recipient(NEW)], []])
def test_a_recipient_whom_the_api_names_must_have_a_profile(people):
    truth = TruthBuilder()
    truth.people.append({"customer_id": None, "email": "gift@example.com", "asked": True, "gifts_from": ["storefront"]})
    truth.happen("subscription_new", 21, recipient={"email": "gift@example.com"}, gift="gift3_asked")

    assert counts(truth, giver(NEW), *people, kind="asked_recipients") == (1, len(people))
