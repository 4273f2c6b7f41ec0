"""The parts of an event's sentence: each placeholder, and what it becomes for a loaded body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.events.catalogue import EventRow, get_event_row
from pipeline.events.fields import get_first, get_path

MAX_PART_CHARS = 80  # of a name in a sentence; a sender can make up any
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence. `kind` and `id`: what it names, such as ("person", 12) or ("order", 7001)."""

    text: str
    kind: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person whom an event concerns: our id for them, and the name to show; `name` is None if no name is known."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class SentenceSource:
    """All that a sentence is made from. `data`: the event's loaded body. `format_money`: minor units to text."""

    event: str
    data: Mapping[str, Any]
    format_money: Callable[[int], str]
    buyer: NamedPerson | None = None
    recipient: NamedPerson | None = None  # the gift's recipient, if the event concerns one
    is_gift: bool = False  # a gift, whether or not its recipient is known
    is_test: bool = False

    @property
    def row(self) -> EventRow:
        return get_event_row(self.event)

    @property
    def subject(self) -> Any:
        """The model that the event is about."""
        return get_path(self.data, self.row.at)


def _person(person: NamedPerson | None, otherwise: str) -> tuple[Part, ...]:
    if person is None:
        return (Part(otherwise),)
    return (Part(_cut(person.name or otherwise), "person", person.id),)


def _order(source: SentenceSource) -> tuple[Part, ...]:
    number = get_path(source.subject, "id")
    return (_numbered("order", number),) if isinstance(number, int) else (Part("order"),)


def _ordered(source: SentenceSource) -> tuple[Part, ...]:
    bought = _bought(source)
    if bought != _order(source):
        return (Part("ordered "), *bought)
    return (Part("placed "), *bought) if bought[0].id is not None else (Part("placed an order"),)


def _bought(source: SentenceSource) -> tuple[Part, ...]:
    """What was bought: the first product by name and how many more; the order's number where no product is shown."""
    order = source.subject if isinstance(source.subject, dict) else {}
    models = [
        item for name in ("products", "subscriptions") for item in order.get(name) or () if isinstance(item, dict)
    ]
    names = [name for name in dict.fromkeys(map(_product_name, models)) if name]
    if not names:
        return _order(source)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    number = order.get("id")
    return (Part(_cut(names[0]) + more, "order", number if isinstance(number, int) else None),)


def _box(source: SentenceSource) -> tuple[Part, ...]:
    number = get_path(source.subject, "id")
    name = _product_name(source.subject)
    if name is None:
        return (_numbered("subscription", number),) if isinstance(number, int) else (Part("a subscription"),)
    return (Part(_cut(name), "subscription", number if isinstance(number, int) else None),)


def _parcel(source: SentenceSource) -> tuple[Part, ...]:
    """The box by its product, with its place in a term of several boxes."""
    number = get_path(source.subject, "id")
    boxes = [item for item in source.data.get("fulfillments") or () if isinstance(item, dict)]
    name = next((found for box in boxes if (found := _product_name(box))), None)
    place = next((text for box in boxes if (text := _place(box))), "")
    text = f"{_cut(name)} ({place})" if name and place else _cut(name or place or "a box")
    return (Part(text[:1].upper() + text[1:], "shipment", number if isinstance(number, int) else None),)


def _place(box: Mapping[str, Any]) -> str:
    number, total = box.get("cycle_number"), box.get("total_cycles")
    if not isinstance(number, int) or not isinstance(total, int) or number < 0 or total < 2:  # noqa: PLR2004 one box
        return ""
    return f"box {number + 1} of {total}"  # cycles count from 0


def _product_name(model: object) -> str | None:
    paths = ("product.name", "product_instance.product.name", "name", "product_instance.name")
    name = get_first(model, paths)
    return name if isinstance(name, str) and name.strip() else None


def _stock_item(source: SentenceSource) -> tuple[Part, ...]:
    name = _product_name(source.data)
    number = get_first(source.subject, ("product_instance_id", "product_id"))
    return (Part(_cut(name) if name else "a product" if number is None else f"product {number}"),)


def _optional(prefix: str, value: object) -> tuple[Part, ...]:
    return (Part(f"{prefix}{_cut(str(value))}"),) if value not in (None, "") else ()


def _money(source: SentenceSource, path: str, prefix: str) -> tuple[Part, ...]:
    amount = get_path(source.data, path)
    return (Part(f"{prefix}{source.format_money(amount)}"),) if isinstance(amount, int) else ()


def _total(source: SentenceSource) -> tuple[Part, ...]:
    return _money(source, f"{source.row.at}.total" if source.row.at else "total", ", ")


def _amount(source: SentenceSource) -> tuple[Part, ...]:
    return _money(source, "transaction.total", "") or (Part("an unknown amount"),)


def _term(source: SentenceSource) -> tuple[Part, ...]:
    name = get_first(source.subject, ("term.name", "billing_name"))
    return (Part(f" ({_cut(name)})"),) if isinstance(name, str) and name.strip() else ()


def _paid_until(source: SentenceSource) -> tuple[Part, ...]:
    date = get_path(source.subject, "end_date")
    return (Part(f", paid until {_format_date(date)}"),) if isinstance(date, str) else ()


def _format_date(loaded_time: str) -> str:
    year, month, day = loaded_time[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


def _for_order(source: SentenceSource) -> tuple[Part, ...]:
    number = get_first(source.data, ("order.id", "transaction.order_id"))
    return (Part(" for "), _numbered("order", number)) if isinstance(number, int) else ()


def _order_state(source: SentenceSource) -> tuple[Part, ...]:
    words = [get_path(source.subject, path) for path in ("status", "financial_status", "fulfillment_status")]
    said = [word.replace("_", " ") for word in dict.fromkeys(words) if isinstance(word, str) and word]
    return (Part(f" (now {', '.join(map(_cut, said))})"),) if said else ()


def _tracking(source: SentenceSource) -> tuple[Part, ...]:
    carrier = get_path(source.subject, "carrier_name")
    number = get_path(source.subject, "tracking_number")
    words = [_cut(word) for word in (carrier, number) if isinstance(word, str) and word]
    return (Part(f", tracking {' '.join(words)}"),) if words else ()


def _numbered(kind: str, number: int) -> Part:
    return Part(f"{kind} {number}", kind, number)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_PART_CHARS else f"{text[: MAX_PART_CHARS - 1]}…"


PLACEHOLDERS: dict[str, Callable[[SentenceSource], tuple[Part, ...]]] = {
    "amount": _amount,
    "box": _box,
    "bought": _bought,
    "buyer": lambda source: _person(source.buyer, "A customer"),
    "event": lambda source: (Part(_cut(source.event)),),
    "file": lambda source: _optional(": ", source.data.get("file_changed")),
    "for_order": _for_order,
    "order": _order,
    "order_state": _order_state,
    "ordered": _ordered,
    "paid_until": _paid_until,
    "parcel": _parcel,
    "recipient": lambda source: _person(source.recipient, "the recipient"),
    "stock": lambda source: _optional(", now ", get_path(source.subject, "quantity_on_hand")),
    "stock_item": _stock_item,
    "term": _term,
    "theme": lambda source: _optional(" ", source.data.get("theme_name")),
    "total": _total,
    "tracking": _tracking,
}
