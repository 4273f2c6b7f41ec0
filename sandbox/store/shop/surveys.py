"""The survey of the shop's subscriptions: questions, answers, and the two shapes in which the API shows them.

A question keeps its id and can be renamed. Answers belong to a subscription and are in no hook.
"""

import random
from dataclasses import dataclass

from sandbox.store.state import Row, State

CHECK_BOXES, TEXT, PARAGRAPH, MULTIPLE_CHOICE, MORE_CHECK_BOXES, DATE = 0, 1, 2, 3, 4, 5
# Only `multiple_choice` is documented; the other names are guesses in its manner.
TYPE_NAMES = {
    CHECK_BOXES: "check_boxes",
    MORE_CHECK_BOXES: "check_boxes",
    TEXT: "text",
    PARAGRAPH: "paragraph",
    MULTIPLE_CHOICE: "multiple_choice",
    DATE: "date",
}
SURVEY_NAME = "Tell us what you like"
FIRST_FIELD_ID, FIRST_OPTION_ID = 6_910_890_001, 6_910_890_101
SURVEY_SHARE = 0.6
SKIPPED_SHARE = 0.15  # this share of the questions is left out
LONG = "We drink tea all day, 🍵 every day. " * 60  # more than 2,000 bytes


@dataclass(frozen=True)
class Question:
    """A question; `later` is the name that it is given during a simulation. No two questions share an answer."""

    type: int
    name: str
    answers: tuple[str | None, ...]
    options: tuple[str, ...] = ()
    later: str | None = None


QUESTIONS = (
    Question(CHECK_BOXES, "Allergies", ("nuts|soy", "nuts", "gluten|soy|nuts"), ("nuts", "soy", "gluten")),
    Question(MORE_CHECK_BOXES, "Teas you like", ("Grüntee|烏龍", "Chai", "烏龍|Chai"), ("Grüntee", "Chai", "烏龍")),
    Question(TEXT, "Nickname", ("Bee", "", "Зоя 🌸", 'Ed "the Box"', None)),
    Question(PARAGRAPH, "Anything else?", (LONG, "Two\nlines & <b>tags</b>", "")),
    Question(MULTIPLE_CHOICE, "Favourite colour", ("Red", "Sea green"), ("Red", "Sea green", "Blue")),
    Question(TEXT, "Favourite colour?", ("like rust", "as the sky")),  # the same slug as the question before
    Question(DATE, "Birthday", ("02/29/1988", "12/01/1979", ""), later="When is your birthday?"),
    Question(TEXT, "好きなお茶", ("ほうじ茶", "抹茶")),
)


def create_survey(state: State) -> None:
    """Add the questions. Their ids are their own range, so that they leave those of other objects as they are."""
    option_id = FIRST_OPTION_ID
    for number, question in enumerate(QUESTIONS):
        options = []
        for value in question.options:
            options.append({"id": option_id, "slug": value.lower().replace(" ", "-"), "value": value})
            option_id += 1
        field = {"id": FIRST_FIELD_ID + number, "name": question.name, "options": options, "type": question.type}
        state.insert("survey_fields", field | {"_names": [question.name], "_question": question})


def rename_questions(state: State) -> None:
    """The merchant rewords what has a later name."""
    for field in state.rows("survey_fields"):
        later = field["_question"].later
        if later and later != field["name"]:
            field["name"] = later
            field["_names"].append(later)


def offer_survey(state: State, subscription: Row) -> None:
    """Most buyers answer. All comes from the subscription's id, so that it draws no number of a simulation."""
    rng = random.Random(f"{subscription['id']} survey")
    if rng.random() > SURVEY_SHARE:
        return
    answers = [
        (field["id"], rng.choice(field["_question"].answers))
        for field in state.rows("survey_fields")
        if rng.random() > SKIPPED_SHARE
    ]
    row = {"subscription_id": subscription["id"], "type": "product_survey_result", "_answers": answers}
    state.insert("product_survey_results", row)


def get_shape(state: State, result: Row) -> str:
    """The shape in which the API shows this result."""
    wanted = state.switches.surveys
    return ("v1", "v1.1")[result["id"] % 2] if wanted == "mixed" else wanted


def show_result(state: State, result: Row) -> Row:
    """A result as the API shows it. v1.1 has neither the subscription nor the ids of the questions."""
    fields = [(state.get("survey_fields", field_id), value) for field_id, value in result["_answers"]]
    if get_shape(state, result) == "v1":
        answers = [{"field": show_field(field), "value": value} for field, value in fields]
        return {key: value for key, value in result.items() if key != "_answers"} | {"answers": answers}
    rows = [{"answer": value, "question": field["name"], "type": TYPE_NAMES[field["type"]]} for field, value in fields]
    return {"answers": rows, "id": result["id"], "survey_name": SURVEY_NAME}


def show_field(field: Row) -> Row:
    return {key: value for key, value in field.items() if not key.startswith("_")}
