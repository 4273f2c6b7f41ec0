"""The same body in other dress: statuses as numbers, relations as URL strings."""

from typing import Any

from sandbox.store import status_codes
from sandbox.store.relations import link
from sandbox.store.state import Row
from sandbox.store.webhooks.shop_event import ShopEvent

# Relations that may come as a link, by the body's type. The info of a gift is never a link in any capture.
LINKABLE = {
    "customer": ("addresses",),
    "order": ("customer", "products"),
    "shipment": ("customer", "fulfillments", "labels", "ship_address"),
    "subscription": ("address", "billing", "customer", "instance", "product", "product_instance", "term"),
}


def use_integer_statuses(value: Any) -> Any:
    if isinstance(value, list):
        return [use_integer_statuses(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("type"))
    return {key: use_integer_statuses(status_codes.as_number(kind, key, item)) for key, item in value.items()}


UNUSABLE = ("", None, "ask the shop")


def hide_recipient(news: ShopEvent, body: Row) -> Row:
    """The body of a gift whose recipient only the API knows: its address is missing, empty or no address."""
    choice = (news.subject_id or 0) % (len(UNUSABLE) + 1)

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        kept = {key: walk(item) for key, item in value.items() if key != "gift_recipient_email"}
        if "gift_recipient_email" in value and choice < len(UNUSABLE):
            kept["gift_recipient_email"] = UNUSABLE[choice]
        return kept

    return dict(walk(body))


def replace_relations_by_links(news: ShopEvent, body: Row) -> Row:
    """Relations as links, but the fulfillments of a gift's box stay: only they lead to its recipient."""
    kept = {"fulfillments"} if news.recipient else set()
    names = [name for name in LINKABLE.get(news.subject, ()) if name in body and name not in kept]
    return body | {name: link(f"{news.subject}s", news.row, name) for name in names}
