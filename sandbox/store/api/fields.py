"""What a write may carry: each property with its reader, and a refusal that names all that are unknown or read-only."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.store import dates, status_codes
from sandbox.store.api.responses import BAD_REQUEST, refuse_all
from sandbox.store.properties import list_property_names
from sandbox.store.state import Row
from sandbox.store.webhooks.shop_event import EVENTS

Reader = Callable[[Any], Any]

TRUE, FALSE = frozenset(("true", "1")), frozenset(("false", "0"))


class InvalidValue(ValueError):
    """A value that a property cannot have; `where` leads to it inside an object or a list."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


def text(value: Any) -> str:
    """A text, or a number as text. Objects and lists are no texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidValue("must be a text")


def nonempty_text(value: Any) -> str:
    found = text(value)
    if not found.strip():
        raise InvalidValue("cannot be empty")
    return found


def nullable(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def email(value: Any) -> str:
    found = text(value)
    name, at, host = found.strip().rpartition("@")
    if not (name and at and "." in host):
        raise InvalidValue("must be an e-mail address")
    return found


def boolean(value: Any) -> bool:
    """Booleans come as JSON or as text: an official script sends "True"."""
    written = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
    if written not in TRUE | FALSE:
        raise InvalidValue("must be true or false")
    return written in TRUE


def integer(value: Any) -> int:
    """A number, also as text: the documented samples send ids as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InvalidValue("must be a whole number")
    try:
        return int(value)
    except ValueError as error:
        raise InvalidValue("must be a whole number") from error


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidValue("must be a number")
    try:
        return float(value)
    except ValueError as error:
        raise InvalidValue("must be a number") from error


def date(value: Any) -> str:
    """A moment as every answer shows it: a bare date is its midnight, a fraction of a second is dropped."""
    try:
        return dates.iso(dates.seconds(text(value)))
    except (ValueError, OverflowError) as error:
        raise InvalidValue("must be a date such as 2026-03-02T17:04:31Z") from error


def status_reader(object_type: str) -> Reader:
    """A status by its text or by its number."""
    known = status_codes.NUMBERS[object_type, "status"]

    def reader(value: Any) -> str:
        found = status_codes.as_text(object_type, "status", str(value))
        if found not in known:
            raise InvalidValue(f"must be one of {', '.join(known)}")
        return found

    return reader


def one_of(*choices: str) -> Reader:
    def reader(value: Any) -> str:
        if value not in choices:
            raise InvalidValue(f"must be one of {', '.join(choices)}")
        return str(value)

    return reader


def url(value: Any) -> str:
    found = text(value)
    if not found.startswith(("http://", "https://")):
        raise InvalidValue("must be a URL that begins with http:// or https://")
    return found


def count(value: Any) -> int:
    found = integer(value)
    if found < 1:
        raise InvalidValue("must be above zero")
    return found


def object_with(required: str, **readers: Reader) -> Reader:
    """An object with these properties and no others; the names in `required` cannot be missing."""

    def reader(value: Any) -> Row:
        if not isinstance(value, dict):
            raise InvalidValue("must be an object")
        for name in required.split():
            if value.get(name) is None:
                raise InvalidValue("is missing", f".{name}")
        return {name: read_nested(f".{name}", readers.get(name, unknown), inner) for name, inner in value.items()}

    return reader


def list_of(reader: Reader) -> Reader:
    """A list that is not empty and whose items can be parsed."""

    def read_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise InvalidValue("must be a list that is not empty")
        return [read_nested(f"[{place}]", reader, inner) for place, inner in enumerate(value)]

    return read_all


def read_nested(where: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except InvalidValue as error:
        raise InvalidValue(str(error), where + error.where) from error


def unknown(_: Any) -> Any:
    raise InvalidValue("is an unknown property")


ADDRESS: Mapping[str, Reader] = dict.fromkeys(
    ("to", "street", "unit", "city", "state", "zip_code", "country", "company", "phone_number"), nullable(text)
)
SHIPMENT: Mapping[str, Reader] = {
    "status": status_reader("shipment"),
    "tracking_number": nullable(text),
    "shipped_at": date,
    "adjusted_ordered_at": date,
    "carrier_name": nullable(text),
    "tracking_link": nullable(text),
}
HOOK: Mapping[str, Reader] = {
    "name": nonempty_text,
    "event": one_of(*EVENTS),
    "request_type": one_of("POST", "GET"),
    "target": url,
    "querystring": nullable(text),
    "enabled": boolean,
}
# An order by API has the message of a gift and no recipient.
LINE = object_with(
    "product_instance",
    product_instance=object_with("id", id=integer),
    quantity=count,
    term=object_with("num_cycles", num_cycles=count),
)
ORDER: Mapping[str, Reader] = {
    "customer": object_with("id", id=integer),
    "products": list_of(LINE),
    "ship_address_id": integer,
    "cust_pay_id": integer,
    "coupons": list_of(integer),
    "order_gift_info": object_with("gift_message", gift_message=text),
}

# The properties of a write, by the kind of object and by the method or the action.
WRITES: Mapping[tuple[str, str], Mapping[str, Reader]] = {
    ("customers", "PUT"): {"first_name": text, "last_name": nullable(text), "email": email, "note": nullable(text)},
    ("addresses", "POST"): ADDRESS,
    ("addresses", "PUT"): ADDRESS,
    ("orders", "PUT"): {"note": nullable(text)},
    ("orders", "POST"): ORDER,
    ("subscriptions", "PUT"): {
        "autorenew": boolean,
        "credit": nullable(integer),
        "end_date": date,
        "note": nullable(text),
    },
    ("subscriptions", "cancel"): {"cancel_reason": integer, "log_note": nullable(text)},
    ("subscriptions", "reactivate"): {"log_note": nullable(text)},
    ("subscriptions", "skip"): {"skip": boolean, "unskip": boolean},
    ("subscriptions", "renew"): {},
    ("subscription_coupons", "POST"): {"coupon_id": integer},
    ("shipments", "PUT"): SHIPMENT,
    ("products", "PUT"): {"name": nonempty_text, "ship_weight": number, "visible": boolean},
    ("hooks", "POST"): HOOK,
    ("hooks", "PUT"): HOOK,
    ("page_redirects", "POST"): {"path": nonempty_text, "target": nonempty_text, "enabled": boolean, "code": integer},
}


def read(kind: str, write: str, given: Mapping[str, Any], required: str = "") -> Row:
    """Return the properties to store, or end the request with a 400 that names all that cannot be stored."""
    readers = WRITES[kind, write]
    errors = [f"{name} is missing" for name in required.split() if given.get(name) is None]
    errors += [describe_unknown_property(kind, name) for name in given if name not in readers]
    found = {}
    for name in readers.keys() & given.keys():
        try:
            found[name] = readers[name](given[name])
        except InvalidValue as error:
            errors.append(f"{name}{error.where} {error}")
    return dict(refuse_all(BAD_REQUEST, errors)) if errors else found


def describe_unknown_property(kind: str, name: str) -> str:
    """The error text for a property that cannot be written. Only the first text is Cratejoy's own."""
    return f"Read-only property '{name}'" if name in list_property_names(kind) else f"Unknown property '{name}'"
