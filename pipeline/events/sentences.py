"""What happened, as one sentence for readers: a table with a row for each event, and one for each case of a gift.

A sentence is a sequence of parts, so that a page can link the persons and orders in it and a command can print it. What
a body does not say is left out of the sentence; a placeholder brings its own comma or blank with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from pipeline.events.fields import get_path
from pipeline.events.sentence_parts import PLACEHOLDERS, Part, SentenceSource


@dataclass(frozen=True, slots=True)
class _Wording:
    """A template, and when it is used. The first wording of an event that fits is used."""

    template: str
    fits: Callable[[SentenceSource], bool] = lambda _source: True


def build_sentence(source: SentenceSource) -> tuple[Part, ...]:
    """Return the sentence of an event, without a full stop."""
    wordings = _WORDINGS.get(source.event, _UNKNOWN)
    template = next(wording.template for wording in wordings if wording.fits(source))
    parts: list[Part] = [Part("Test: ")] if source.is_test else []
    for text, placeholder, _, _ in Formatter().parse(template):
        parts += [Part(text)] if text else []
        parts += PLACEHOLDERS[placeholder](source) if placeholder else ()
    return tuple(parts)


def join_parts(parts: tuple[Part, ...]) -> str:
    """Return a sentence as plain text."""
    return "".join(part.text for part in parts)


def _is_known_gift(source: SentenceSource) -> bool:
    return source.recipient is not None


def _is_gift(source: SentenceSource) -> bool:
    return source.is_gift


def _is_redeemed(source: SentenceSource) -> bool:
    return isinstance(get_path(source.data, "received_gift"), dict)


def _is_gift_to_self(source: SentenceSource) -> bool:
    return source.recipient is not None and source.buyer is not None and source.recipient.id == source.buyer.id


def _is_renewal(source: SentenceSource) -> bool:
    return bool(get_path(source.subject, "is_renewal"))


def _is(path: str, *values: object) -> Callable[[SentenceSource], bool]:
    return lambda source: get_path(source.subject, path) in values


_CANCELLED = ("cancelled", "canceled")


def _is_cancelled(source: SentenceSource) -> bool:
    return any(get_path(source.subject, path) in _CANCELLED for path in ("status", "financial_status"))


def _is_cancelled_gift(source: SentenceSource) -> bool:
    return _is_known_gift(source) and _is_cancelled(source)


_WORDINGS: dict[str, tuple[_Wording, ...]] = {
    "customer_new": (_Wording("{buyer} joined"),),
    "address_updated": (_Wording("{buyer} changed an address"),),
    "billing_updated": (_Wording("{buyer} changed the payment method"),),
    "checkout_failed": (_Wording("{buyer} could not check out{total}"),),
    "design_updated": (_Wording("The shop's theme{theme} was changed{file}"),),
    "inventory_updated": (_Wording("Stock of {stock_item} changed{stock}"),),
    "order_new": (
        _Wording("{buyer} redeemed a gift: {bought}", _is_redeemed),
        _Wording("{buyer} {ordered} as a gift to themselves{total}", _is_gift_to_self),
        _Wording("{buyer} {ordered} as a gift for {recipient}{total}", _is_known_gift),
        _Wording("{buyer} {ordered} as a gift, without a usable address{total}", _is_gift),
        _Wording("{buyer} was charged for a renewal: {bought}{total}", _is_renewal),
        _Wording("{buyer} {ordered}{total}"),
    ),
    "order_updated": (
        _Wording("{buyer}'s gift for {recipient} was cancelled: {order}", _is_cancelled_gift),
        _Wording("{buyer}'s {order} was cancelled", _is_cancelled),
        _Wording("{buyer}'s redeemed gift changed: {order}{order_state}", _is_redeemed),
        _Wording("{buyer}'s gift for {recipient} changed: {order}{order_state}", _is_known_gift),
        _Wording("{buyer}'s {order} changed{order_state}"),
    ),
    "shipment_shipped": (
        _Wording("{parcel} is on its way to {recipient}, a gift from {buyer}{tracking}", _is_known_gift),
        _Wording("{parcel} is on its way, a gift from {buyer}{tracking}", _is_gift),
        _Wording("{parcel} is on its way to {buyer}{tracking}"),
    ),
    "shipment_cancelled": (
        _Wording("{parcel} for {recipient} was cancelled, a gift from {buyer}", _is_known_gift),
        _Wording("{parcel} for {buyer} was cancelled"),
    ),
    "shipment_address_updated": (
        _Wording("{parcel} for {recipient} has a new address, a gift from {buyer}", _is_known_gift),
        _Wording("{parcel} for {buyer} has a new address"),
    ),
    "subscription_new": (
        _Wording("{buyer} gave {recipient} a gift: {box}{term}", _is_known_gift),
        _Wording("{buyer} gave {box} as a gift, without a usable address{term}", _is_gift),
        _Wording("{buyer} subscribed to {box}{term}"),
    ),
    "subscription_renewed": (
        _Wording("{buyer} renewed the gift for {recipient}: {box}{term}", _is_known_gift),
        _Wording("{buyer} renewed {box}{term}"),
    ),
    "subscription_renew_failed": (
        _Wording("{buyer}'s payment for the gift for {recipient} failed: {box}", _is_known_gift),
        _Wording("{buyer}'s payment for {box} failed"),
    ),
    "subscription_cancelled": (
        _Wording("{buyer} cancelled the gift for {recipient}: {box}{paid_until}", _is_known_gift),
        _Wording("{buyer} cancelled {box}{paid_until}"),
    ),
    "subscription_updated": (
        _Wording("{buyer} changed the gift for {recipient}: {box}{term}", _is_known_gift),
        _Wording("{buyer} changed {box}{term}"),
    ),
    "cratewire_test": (_Wording("{buyer} gets a test event of Cratewire's own"),),
    "transaction_new": (
        _Wording("{buyer} paid {amount}{for_order}", _is("result", "captured")),
        _Wording("{buyer}'s payment of {amount} was authorised{for_order}", _is("result", "authorized")),
        _Wording("{buyer}'s payment of {amount} failed{for_order}", _is("result", "failed")),
        _Wording("{buyer} was refunded {amount}{for_order}", _is("result", "refunded")),
        _Wording("The refund of {amount} to {buyer} failed{for_order}", _is("result", "failed_refund")),
        _Wording("{buyer}: a transaction of {amount}{for_order}"),
    ),
}
_UNKNOWN = (_Wording("An event that Cratewire does not know: {event}"),)
