"""Customers and their addresses: they register, move, and change how they pay."""

from collections.abc import Mapping
from typing import Any

from sandbox.store import fake_people, shapes
from sandbox.store.fake_people import Person
from sandbox.store.shop import channels
from sandbox.store.shop.shop import Shop, emit_customer_event, emit_shipment_event
from sandbox.store.state import Row

# One customer in so many does not consent, and one was never asked; no random number is drawn, so that a seed keeps its
# history.
NO_CONSENT_EVERY, NOT_ASKED_EVERY = 3, 8


def register(shop: Shop, person: Person | None = None, channel: str = channels.STOREFRONT) -> Row:
    """Add a customer with an address; fires customer_new. `channel` is where they come from."""
    person = person or shop.person_generator.generate(shop.rng)
    where = fake_people.draw_place(shop.rng)
    customer = shop.state.insert("customers", customer_row(shop, person, where) | {"_channel": channel})
    channels.remember_registration(shop.state, customer)
    home = add_address(shop, {**where, "to": person.name, "_customer_id": customer["id"]})
    customer["_address_id"] = home["id"]
    if shop.state.switches.asks_consent and customer["id"] % NOT_ASKED_EVERY:
        customer["accepts_marketing"] = customer["id"] % NO_CONSENT_EVERY != 0
    emit_customer_event(shop, "customer_new", customer)
    return customer


def customer_row(shop: Shop, person: Person, where: dict[str, str]) -> Row:
    customer_id = shop.state.new_id()
    return {
        "country": where["country"],
        "email": person.email,
        "first_name": person.first,
        "id": customer_id,
        "last_name": person.last,
        "location": location_of(where),
        "name": person.name,
        "note": shop.rng.choice(("", None, 'He said "hi"\nbye')),
        "num_orders": 0,
        "num_subscriptions": 0,
        "subscription_status": None,
        "total_revenue": 0,
        "type": "customer",
        "url": f"/v1/customers/{customer_id}/",
        "_known": False,
        "_sent": False,
    }


def location_of(address: Mapping[str, str]) -> str:
    """`TX, US`; only the country where there are no states."""
    return ", ".join(filter(None, (address["state"], address["country"])))


def add_address(shop: Shop, fields: dict[str, Any]) -> Row:
    blank: Row = {
        "city": "",
        "company": shop.rng.choice(("", "", None, "Quill & Sons")),
        "country": "US",
        "icon": "United-States.png",
        "phone_number": "5550100",
        "state": "",
        "status": shop.rng.choice((0, 1, 1)),
        "status_message": None,
        "street": "",
        "to": "",
        "type": "address",
        "unit": "",
        "zip_code": "",
    }
    return shop.state.insert("addresses", blank | fields)


def remember_address(address: Row) -> None:
    """Keep what an address was, so that a comparison can say where a box was to go before."""
    address["_former"] = [*address.get("_former", ()), shapes.plain(address)]


def change_address(shop: Shop, address: Row, fields: dict[str, Any]) -> None:
    """Fire address_updated, and shipment_address_updated for each box that still waits for this address."""
    remember_address(address)
    address.update(fields)
    owner = address.get("_customer_id") or address.get("_owner_id")
    customer = shop.state.find("customers", owner)
    if customer is None:
        return
    if address["id"] == customer["_address_id"]:
        customer.update(country=address["country"], location=location_of(address))
    if "_customer_id" in address:
        emit_customer_event(shop, "address_updated", customer, address["id"])
    for shipment in shop.state.of("shipments", "address_id", address["id"]):
        if shipment["status"] == "unshipped":
            emit_shipment_event(shop, "shipment_address_updated", shipment, address["id"])


def move(shop: Shop, customer: Row) -> None:
    where = fake_people.draw_place(shop.rng)
    change_address(shop, shop.state.get("addresses", customer["_address_id"]), dict(where))


def change_billing(shop: Shop, customer: Row) -> None:
    """A new card. Which sub-model carries it is not documented; the body is the customer with addresses."""
    emit_customer_event(shop, "billing_updated", customer)


def subscription_status(shop: Shop, customer: Row) -> str | None:
    """The combined status of the subscriptions of a customer."""
    found = {row["status"] for row in shop.state.of("subscriptions", "customer_id", customer["id"])}
    if not found:
        return None
    return found.pop() if len(found) == 1 else "mixed"
