"""Models the two versions of the API write differently: variants and survey answers."""

import pytest

from schemas import load


@pytest.mark.parametrize(
    ("sent", "loaded"),
    [
        (
            {"variant_type": {"name": "Wick"}, "variant_value": {"value": "Cotton"}},
            {"name": "Wick", "value": "Cotton"},
        ),
        ({"type": "Wick", "id": 5, "value": "Cotton"}, {"name": "Wick", "id": 5, "value": "Cotton"}),
        ({"name": "Wick", "value": "Cotton"}, {"name": "Wick", "value": "Cotton"}),
        (
            {"type": "variant", "variant_type": {"name": "Wick"}, "variant_value": {}},
            {"type": "variant", "name": "Wick", "value": None},
        ),
    ],
)
def test_a_variant_is_a_name_and_a_value(sent, loaded):
    assert load("product_instance", {"variants": [sent]}).data == {"variants": [loaded]}


def test_an_answer_of_v1_takes_its_question_from_the_field():
    body = {
        "answers": [
            {"field": {"id": 5, "name": "Scents?", "type": 4, "options": [{"id": 1}]}, "value": "Pine|Moss"},
        ]
    }

    assert load("survey", body).data["answers"] == [
        {"field_id": 5, "question": "Scents?", "type": 4, "options": [{"id": 1}], "answer": "Pine|Moss"}
    ]


def test_an_answer_of_v1_1_is_already_so():
    body = {"survey_name": "Taste", "answers": [{"question": "Scents?", "answer": "Pine", "type": "multiple_choice"}]}

    assert load("survey", body).data == body


def test_an_answer_whose_field_is_a_link_keeps_its_value():
    loaded = load("survey_answer", {"field": "/v1/fields/5", "value": "Pine"})

    assert (loaded.data, loaded.unknown) == ({"answer": "Pine"}, {"field": "/v1/fields/5"})
