"""The survey a subscriber fills in at checkout; it belongs to the subscription and is in no hook."""

from sandbox.store.shop.desk import Shop
from sandbox.store.state import Row

# Field types are numbers: 0 check boxes (several choices joined by |), 1 text, 5 a date as MM/DD/YYYY.
ANSWERS = (
    (0, "Allergies", ("nuts|soy", "none", "gluten")),
    (1, "Nickname", ("Bee", "", "Ed")),
    (5, "Birthday", ("02/29/1988",)),
)


def fill_in(shop: Shop, subscription: Row) -> Row:
    answers = [answer(shop, *asked) for asked in ANSWERS]
    result = {"answers": answers, "subscription_id": subscription["id"], "type": "product_survey_result"}
    return shop.state.insert("product_survey_results", result)


def answer(shop: Shop, kind: int, name: str, choices: tuple[str, ...]) -> Row:
    field = {"id": shop.state.new_id(), "name": name, "options": [], "type": kind}
    return {"field": field, "value": shop.rng.choice(choices)}
