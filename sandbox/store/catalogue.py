"""What the shop sells: subscription boxes with terms and prices, and single items with a stock."""

import random
from typing import Any

from sandbox.store.state import Row, State

# name, price of a month; three and six months cost a little less each
BOXES = (("Sample Box", 3495), ("Tea & Toast Box", 2795), ("Jürgen's Puzzle Box", 4150))
ITEMS = (("Mug", 1499), ("Tote bag", 1990), ("Postcard set", 875), ("Enamel pin “Fox”", 1125), ("Lucky dip", 2260))
# What the variants of a box are; the instance without any remains.
VARIANTS = (
    (("Size", "Small"), ("Flavour", "Mint")),
    (("Size", "Large"), ("Flavour", "Açaí & Möhre")),
    (("Size", "Large"),),
)
VARIANT_ID_BASE = 6_910_889_801
TERMS = (
    ("Month to Month", "Charged every month", 1),
    ("3 Month Prepay", "Charged every 3 months", 3),
    ("6 Month Prepay", "Charged every 6 months", 6),
)
THEMES = ("mytheme", "spring-2026", "bold")
THEME_FILES = ("html/index.html", "html/cart.html", "css/main.css", "js/gift.js", "snippets/footer.html")


def create_catalogue(state: State, rng: random.Random) -> None:
    billing = state.insert("product_billings", monthly_billing(state))
    terms = [state.insert("terms", term(*described)) for described in TERMS]
    for name, price in BOXES:
        product = state.insert("products", product_row(state, name, 0, billing["id"]))
        add_instance(state, product, 0, term_prices(state, terms, price))
    for name, price in ITEMS:
        product = state.insert("products", product_row(state, name, 1, None))
        add_instance(state, product, price, [])
    for instance in state.rows("product_instances"):
        state.insert("inventory", inventory_row(state, instance, rng.randrange(200, 900)))


def monthly_billing(state: State) -> Row:
    return {
        "rebill_day": 15,
        "rebill_months": 1,
        "rebill_weeks": None,
        "rebill_window": 10,
        "store_id": state.switches.store_id,
        "type": "product_billing",
    }


def term(name: str, description: str, cycles: int) -> Row:
    return {
        "description": description,
        "enabled": True,
        "images": [],
        "name": name,
        "num_cycles": cycles,
        "type": "subscription_type_term",
    }


def term_prices(state: State, terms: list[Row], monthly: int) -> list[Row]:
    return [
        {
            "id": state.new_id(),
            "price": monthly * term["num_cycles"] - 300 * (term["num_cycles"] - 1),
            "term_id": term["id"],
            "type": "product_instance_subscription_type_term_price",
        }
        for term in terms
    ]


def product_row(state: State, name: str, product_type: int, billing_id: int | None) -> Row:
    product_id = state.new_id()
    return {
        "deleted": False,
        "description": f"<p>{name}</p>",
        "flat_ship_price": 495,
        "gift_shipping": 0,
        "giftable": True,
        "has_subscribers": product_type == 0,
        "id": product_id,
        "listed": True,
        "mp_visible": True,
        "name": name,
        "product_billing_id": billing_id,
        "product_type": product_type,
        "reviewable": True,
        "ship_option": "flat",
        "ship_weight": 0.8125,
        "single_purchasable": product_type == 1,
        "sku": f"SQ{product_id % 10_000_000:07}",
        "slug": "-".join(name.lower().split()),
        "store_id": state.switches.store_id,
        "type": "product",
        "url": f"/v1/products/{product_id}/",
        "visible": True,
    }


def add_instance(state: State, product: Row, price: int, prices: list[Row]) -> Row:
    instance: dict[str, Any] = {
        "deleted": False,
        "gift": False,  # a flag of Gifting 1.0; always false today
        "images": [],
        "inventory": None,
        "name": product["name"],
        "price": price,
        "product_id": product["id"],
        "ship_weight": product["ship_weight"],
        "sku": f"{product['sku']}-1",
        "term_prices": prices,
        "type": "product_instance",
        "variants": [],
        "_variants": (),
    }
    return state.insert("product_instances", instance)


def set_variants(state: State, rng: random.Random, shape: str) -> None:
    """Write the variants of all instances in a shape, `v1`, `v1.1` or `mixed`; the first time instances are added."""
    if shape != "none" and not any(row["_variants"] for row in state.rows("product_instances")):
        for instance in boxes(state):
            for number, variants in enumerate(VARIANTS, start=2):
                added = instance | {"id": None, "sku": instance["sku"][:-1] + str(number), "_variants": variants}
                state.insert("product_instances", added)
                state.insert("inventory", inventory_row(state, added, rng.randrange(200, 900)))
    for instance in state.rows("product_instances"):
        instance["variants"] = [
            show_variant(name, value, ("v1", "v1.1")[instance["id"] // 2 % 2] if shape == "mixed" else shape)
            for name, value in instance["_variants"]
            if shape != "none"
        ]


def show_variant(name: str, value: str, shape: str) -> Row:
    if shape == "v1":
        return {"variant_type": {"name": name}, "variant_value": {"value": value}}
    known = [variant for variants in VARIANTS for variant in variants]
    return {"id": VARIANT_ID_BASE + known.index((name, value)), "type": name, "value": value}


def inventory_row(state: State, instance: Row, quantity: int) -> Row:
    inventory_id = state.new_id()
    return {
        "confidence": 10,
        "id": inventory_id,
        "out_of_stock_purchases": False,
        "product_id": instance["product_id"],
        "product_instance_id": instance["id"],
        "quantity_on_hand": quantity,
        "track_inventory": True,
        "type": "inventory",
        "url": f"/v1/inventory/{inventory_id}/",
    }


def boxes(state: State) -> list[Row]:
    return [row for row in state.rows("product_instances") if row["term_prices"]]


def items(state: State) -> list[Row]:
    return [row for row in state.rows("product_instances") if not row["term_prices"]]


def price_of(instance: Row, term_id: int | None) -> int:
    """The unit price: an item has a single price, a box a price for each term."""
    for priced in instance["term_prices"]:
        if priced["term_id"] == term_id:
            return int(priced["price"])
    return int(instance["price"])
