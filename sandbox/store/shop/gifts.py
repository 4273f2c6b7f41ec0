"""Gifts in all the ways Cratejoy has known: who gives, what the buyer typed, and who can be reached by it."""

import random
from dataclasses import dataclass

from sandbox.store.fake_people import Person, PersonGenerator, fold_email
from sandbox.store.state import Row

MESSAGES = (
    "Happy birthday, Robin!", "", "Alles Gute 🎁", 'You "earned" it\nlove', "<b>Enjoy</b>", "   Enjoy!   ",
)  # fmt: skip
KEY_MISSING_SHARE, FRIEND_IS_CUSTOMER_SHARE = 0.5, 0.08  # shares
JUNK = ("n/a", "robin at home", "robin@", "none", "ask me", "@example.com", "robin.example.com")

# The share of each kind of gift. Rare kinds are more frequent than in reality, so that each occurs.
KINDS = {
    "gift3": 58,  # Gifting 3.0 with the recipient's e-mail
    "gift3_own_address": 7,  # buyers are asked to enter another valid contact if the recipient has none
    "gift3_own_address_case": 5,  # the same with another capitalisation
    "gift3_missing": 8,
    "gift3_malformed": 6,
    "gift2_message": 8,  # a message without any name
    "gift1_redeemed": 8,  # the recipient redeems a code and becomes a customer
}

# Gifts whose hooks name no usable address of the recipient although the API does: in the order and the subscription, in
# one of them. They occur only by the mix.
ASKED, ASKED_ORDER, ASKED_SUBSCRIPTION = "gift3_asked", "gift3_asked_order", "gift3_asked_subscription"
ASKED_KINDS = (ASKED, ASKED_ORDER, ASKED_SUBSCRIPTION)
WITH_RECIPIENT = ("gift3", *ASKED_KINDS)


@dataclass(frozen=True)
class Gift:
    """`typed` is the e-mail as the buyer wrote it; `recipient` the folded address if it is not the buyer's."""

    kind: str
    message: str
    name: str | None = None
    typed: str | None = None
    recipient: str | None = None
    key_missing: bool = False

    def info(self, info_id: int, holder: str = "orders") -> Row:
        """The gift info of an order or, with `holder` subscriptions, of a subscription, as the API shows it."""
        if self.kind == "gift2_message":
            return {"gift_message": self.message, "id": info_id}
        lacks = {ASKED_ORDER: "subscriptions", ASKED_SUBSCRIPTION: "orders"}.get(self.kind) == holder
        typed = {} if self.key_missing else {"gift_recipient_email": None if lacks else self.typed}
        return {"gift_message": self.message, "gift_recipient_name": self.name, "id": info_id, **typed}


def draw_kind(rng: random.Random) -> str:
    return rng.choices(list(KINDS), list(KINDS.values()))[0]


def build_gift(kind: str, buyer: Row, friend: Person, rng: random.Random) -> Gift:
    """A gift of this kind from `buyer`; `friend` is meant to have it."""
    message = rng.choice(MESSAGES)
    typed = draw_typed_email(kind, buyer["email"], friend.email, rng)
    theirs, own = fold_email(friend.email), fold_email(buyer["email"])
    recipient = theirs if kind in WITH_RECIPIENT and theirs != own else None
    return Gift(
        kind, message, friend.name, typed, recipient, kind == "gift3_missing" and rng.random() < KEY_MISSING_SHARE
    )


def draw_typed_email(kind: str, own: str, friends: str, rng: random.Random) -> str | None:
    """The content of the form field for the recipient's e-mail."""
    scrawls: dict[str, tuple[str | None, ...]] = {
        "gift3": (friends, friends, friends, friends.title(), friends.upper(), f" {friends} "),
        "gift3_own_address": (own,),
        "gift3_own_address_case": (own.upper() if own != own.upper() else own.lower(),),
        "gift3_malformed": JUNK,
        "gift3_missing": (None, ""),
    }
    return rng.choice(scrawls.get("gift3" if kind in ASKED_KINDS else kind, (None,)))


def build_received_gift(gift: Gift, buyer: Row, gift_id: int, sent: str) -> Row:
    """Gifting 1.0's `received_gift`, as captured on a redemption; its capitalisation differed from the customer's."""
    return {
        "email": buyer["email"].title(),
        "expire_date": None,
        "gift_code": f"BOX{gift_id % 10_000_000:07}",
        "id": gift_id,
        "message": gift.message,
        "name": buyer["name"],
        "notif_sent": True,
        "send_date": sent,
        "status": 3,
        "status_text": "Claimed",
        "type": "gift",
    }


def choose_friend(folk: PersonGenerator, customers: list[Row], rng: random.Random) -> Person:
    """Mostly a new person; sometimes an existing customer."""
    if customers and rng.random() < FRIEND_IS_CUSTOMER_SHARE:
        row = rng.choice(customers)
        return as_person(row)
    return folk.generate(rng)


def as_person(customer: Row) -> Person:
    return Person(customer["first_name"], customer["last_name"], customer["name"], customer["email"])
