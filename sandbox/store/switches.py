"""What Cratejoy leaves open or does in several ways, as switches with the likeliest setting first."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

CHOICES: dict[str, tuple[Any, ...]] = {
    "form": ("A", "B", "C", "D"),
    "dates": ("iso", "epoch_ms", "epoch_s", "fraction", "blank"),
    "relations": ("embedded", "links"),
    "money": ("minor", "decimal", "text", "decimal_text"),
    "booleans": ("json", "text", "title_text"),
    "api_relations": ("embedded", "links"),
    "page_base": (1, 0),
    "lists": ("full", "summary"),
    "next_form": ("query", "path", "url"),
    "refuse_with": (401, 403),
    "sources": ("number", "text"),
    "surveys": ("v1", "v1.1", "mixed"),
    "variants": ("none", "v1", "v1.1", "mixed"),
    "batch_end": ("end", "end_date"),
    "status_filters": ("both", "numbers"),
}


class BadSwitch(ValueError):
    """A switch or value that does not exist."""


@dataclass
class Switches:
    """The first eight change every hook; the others change the responses of the API and the events of the shop."""

    form: str = "A"
    dates: str = "iso"
    relations: str = "embedded"
    integer_status: bool = False
    money: str = "minor"  # 595; or 5.95, "595", "5.95"
    booleans: str = "json"
    sources: str = "number"  # `source` as 1 or as "1"
    invisible: bool = False  # e-mail and postal addresses with characters that cannot be seen
    api_values: bool = False  # do the API's answers write dates, money, booleans and addresses as the hooks do?
    api_relations: str = "embedded"  # REST answers: default relations as objects or as URL strings
    page_base: int = 1  # a capture counts from 1, the documents' samples from 0
    lists: str = "full"  # by the documents a list contains summaries; captures of shipments show whole objects
    asks_consent: bool = False  # does the checkout ask new customers whether they accept marketing?
    next_form: str = "query"  # captures and documents show a query; careful clients take a path and a URL as well
    default_limit: int = 10
    max_limit: int | None = None  # 200 is documented for v1.1 only; v1 has answered 1000
    refuse_with: int = 401  # only 403 is documented; a Basic-auth server would send 401
    renewal_orders: bool = False  # does the order of a renewal fire order_new as well?
    cancel_boxes: bool = True  # does cancelling fire shipment_cancelled for each unshipped box?
    api_writes_tell: bool = True  # do writes over the API fire hooks?
    store_id: int = 4100200
    batch_end: str = "end"  # v1.1's name of the end of a batch: two documents disagree
    v11_street: bool = True  # the list of v1.1's fields lacks the street of an address
    status_filters: str = "both"  # v1's filters of a status: by the documents numbers, in working code words
    carrier_fields: bool = True  # can a box have carrier_name and tracking_link?
    mails_again: bool = False  # does `shipped` for a shipped box send the mail and fire the hook again?
    marketplace_share: float = 0.0  # the share of people who register from now on that come from the Marketplace
    storefront_source: int = 1  # `source` of orders and subscriptions; its meaning is not documented
    marketplace_source: int = 2
    surveys: str = "v1"  # the shape of survey results; mixed: by their id
    variants: str = "none"  # the shape of a product instance's variants; none: no instance has any

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Set all of `wanted`, or nothing if any of them is wrong."""
        for name, value in wanted.items():
            check_switch(name, value)
        for name, value in wanted.items():
            setattr(self, name, value)


def check_switch(name: str, value: Any) -> None:
    if name not in {field.name for field in fields(Switches)}:
        raise BadSwitch(f"no switch is called {name!r}")
    if name in CHOICES and value not in CHOICES[name]:
        raise BadSwitch(f"{name} is one of {list(CHOICES[name])}")
    default = getattr(Switches(), name)
    if isinstance(default, bool) and not isinstance(value, bool):
        raise BadSwitch(f"{name} is true or false")
    if name.endswith("_limit") and not (value is None and name == "max_limit") and not is_count(value):
        raise BadSwitch(f"{name} is a whole number above zero")
    if name == "marketplace_share" and not is_share(value):
        raise BadSwitch(f"{name} lies between 0 and 1")
    if name.endswith("_source") and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadSwitch(f"{name} is a whole number")


def is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
