"""The shapes of an object: whole, or in the short form inside another object."""

from sandbox.store.state import Row, State

CUSTOMER_SHORT = ("country", "email", "first_name", "id", "last_name", "location", "name", "type")
INSTANCE_SHORT = ("id", "name", "price", "product_id", "sku")
PRODUCT_IN_INSTANCE = ("deleted", "id", "mp_visible", "name", "single_purchasable")
# An order inside a box, seen in 2016: no sign of a gift, no sub-total, no URL.
NOT_IN_A_SUMMARY = ("is_gift", "order_gift_info", "received_gift", "sent_gift", "sub_total", "url")
SENDER = ("country", "email", "first_name", "id", "last_name", "location")


def plain(row: Row) -> Row:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def pick(row: Row, keys: tuple[str, ...]) -> Row:
    return {key: row[key] for key in keys}


def short_customer(row: Row) -> Row:
    """A customer inside another object; with the consent, if the checkout requested it."""
    return pick(row, CUSTOMER_SHORT) | {key: row[key] for key in ("accepts_marketing",) if key in row}


def short_instance(row: Row) -> Row:
    """A product instance inside a subscription. The only capture shows no variants in it: some have them here."""
    shows_variants = row["variants"] and row["id"] % 3
    return pick(row, INSTANCE_SHORT) | ({"variants": row["variants"]} if shows_variants else {})


def summary(kind: str, row: Row) -> Row:
    """An object as a list shows it if lists show summaries: the form that it has inside another object."""
    if kind == "customers":
        return short_customer(row)
    hidden = NOT_IN_A_SUMMARY if kind == "orders" else ()
    return {key: value for key, value in plain(row).items() if key not in hidden}


def boxed_instance(state: State, instance: Row) -> Row:
    """A product instance as a fulfillment carries it, with a little of its product."""
    product = state.get("products", instance["product_id"])
    shape = {key: value for key, value in plain(instance).items() if key != "name"}
    return shape | {"product": pick(product, PRODUCT_IN_INSTANCE)}


def shelved_instance(state: State, instance: Row) -> Row:
    """The same with the SKU of the product, as an answer of the API has it."""
    shape = boxed_instance(state, instance)
    return shape | {"product": shape["product"] | pick(state.get("products", instance["product_id"]), ("sku",))}


def gift_info(state: State, subscription: Row) -> Row | None:
    info: Row | None = subscription["_gift_info"]
    if info is None:
        return None
    return info | {"gift_sender": pick(state.get("customers", subscription["_customer_id"]), SENDER)}


def metadata(state: State, kind: str, row: Row) -> Row:
    """The metadata object of a row; empty until a write."""
    empty = {
        "created_at": None,
        "data": {},
        "id": None,
        f"{kind.removesuffix('s')}_id": row["id"],
        "store_id": state.switches.store_id,
        "updated_at": None,
    }
    return empty | state.metadata.get((kind, row["id"]), {})
