"""Judges, from what is known of a person, whether messages about them may be written.

What counts is where a person is known from: orders, subscriptions and gifts of the store's own shop (storefront), or of
Cratejoy's Marketplace. What is known only ever grows, and one thing from the storefront frees the person: so the
verdict does not depend on the order in which hooks are processed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.core.consent import GiftRecipientPolicy, MarketplacePolicy, WithheldReason, format_source
from pipeline.fan_out.rest import ANY_SOURCE, NO_REST, OWN_SOURCE, Rest

Origin = Literal["storefront", "marketplace", "unknown"]

UNREADABLE = "(unreadable)"
ONLY_REGISTERED = "only_registered"  # a field of the fact about a customer
RELEASE = "release"  # the kind of the fact that a person was released by a decision
OWN_KINDS = frozenset({"order", "subscription", "checkout"})
_GIFT_KIND = "gift_received"
ORIGIN_KINDS = OWN_KINDS | {_GIFT_KIND}  # kinds of facts that say where a person is known from


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """A store's settings about consent. Sources are `source` values of orders and subscriptions, as texts."""

    marketplace_policy: MarketplacePolicy = "withhold"
    marketplace_sources: frozenset[str] = frozenset()
    storefront_sources: frozenset[str] = frozenset()
    met_sources: frozenset[str] = frozenset()  # that the store has shown, answered or not
    gift_recipients: GiftRecipientPolicy = "profile"

    @property
    def unanswered_sources(self) -> frozenset[str]:
        """Those that were met and are on neither list."""
        return self.met_sources - self.marketplace_sources - self.storefront_sources

    def find_origin(self, source: str | None) -> Origin:
        """Return what a source means.

        No source means the storefront, unless the storefront's orders are known to show one.
        """
        if source in self.storefront_sources or (source is None and not self.storefront_sources):
            return "storefront"
        return "marketplace" if source in self.marketplace_sources else "unknown"

    def protects(self, source: str | None, *, is_of_order: bool = True) -> bool:
        """Return whether people whom an order of this source names are protected unless known otherwise.

        A subscription or a box without a source says nothing, in a store with Marketplace orders.
        """
        if source is None and not is_of_order and not self.waits_for_origin:
            return False
        is_storefront = self.find_origin(source) == "storefront" and (source is not None or is_of_order)
        return self.marketplace_policy != "forward" and not is_storefront

    @property
    def waits_for_origin(self) -> bool:
        """Whether nothing is sent about a customer before their first order or subscription: it may be Marketplace."""
        return self.marketplace_policy != "forward" and bool(self.marketplace_sources or self.unanswered_sources)

    @property
    def may_withhold(self) -> bool:
        """Whether anything is withheld from anyone. False for a store that has never shown a source."""
        return self.waits_for_origin or self.gift_recipients == "withhold"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether messages about a person are written: why not, or whether they hold no address."""

    reason: WithheldReason | None = None
    hides_address: bool = False


FREE = Verdict()


@dataclass(slots=True)
class Evidence:
    """What a person is known from: the subject of each fact, as (kind, id), with its source."""

    own: dict[tuple[str, str], str | None] = field(default_factory=dict)
    gifts: dict[tuple[str, str], str | None] = field(default_factory=dict)
    is_registered: bool = False  # the API has shown them without a single order: they registered at the storefront
    is_released: bool = False
    rest: Rest = NO_REST  # of the facts that were not loaded, and so are not among the others

    def add(self, kind: str, subject: str, fields: Container[str], source: str | None) -> None:
        """Add one fact of a person. A fact without a source takes nothing back."""
        if kind in OWN_KINDS and (source is not None or (kind, subject) not in self.own):
            self.own[kind, subject] = source
        elif kind == _GIFT_KIND:
            of, _, number = subject.partition(":")
            if source is not None or (of, number) not in self.gifts:
                self.gifts[of, number] = source
        elif kind == "customer":
            self.is_registered = self.is_registered or ONLY_REGISTERED in fields
        elif kind == RELEASE:
            self.is_released = True

    @property
    def has_own(self) -> bool:
        """Whether the person is known from what is their own."""
        return bool(self.own) or any(self.rest.list_counts(OWN_SOURCE))

    @property
    def has_gifts(self) -> bool:
        """Whether the person is known from a gift."""
        return bool(self.gifts or self.rest.count("gift"))

    def find_origins(self, rules: ConsentRules) -> set[Origin]:
        """Return where the person is known from. Without a source only an order says something.

        Some hooks of a subscription lack its source, and a box has none. In a store whose storefront shows a source,
        an order without one says nothing either.
        """
        are_gifts_counted = rules.gift_recipients == "profile"
        counted = self.own | self.gifts if are_gifts_counted else self.own
        known_from = {
            *((kind, source) for (kind, _), source in counted.items()),
            *(end for end, _ in self.rest.list_counts(ANY_SOURCE if are_gifts_counted else OWN_SOURCE)),
        }
        is_silence_storefront = rules.find_origin(None) == "storefront"
        found: set[Origin] = {
            rules.find_origin(source)
            for kind, source in known_from
            if source is not None or (kind == "order" and is_silence_storefront)
        }
        return found | {"storefront"} if self.is_registered else found


def collect_evidence(facts: Mapping[tuple[str, str], Mapping[str, list[Any]]], rest: Rest = NO_REST) -> Evidence:
    """Return the evidence in the known facts of a person, and in the rest of them."""
    evidence = Evidence(rest=rest)
    for (kind, subject), fields in facts.items():
        evidence.add(kind, subject, fields, fields["source"][1] if "source" in fields else None)
    return evidence


def judge(evidence: Evidence, rules: ConsentRules, *, is_customer: bool) -> Verdict:
    """Return the verdict on a person. `is_customer`: they have a customer id."""
    origins = evidence.find_origins(rules)
    is_mere_recipient = evidence.has_gifts and not is_customer and not evidence.has_own
    may_go_without_address = rules.marketplace_policy == "profile_without_address" and is_customer
    table: tuple[tuple[bool, Verdict], ...] = (
        (evidence.is_released, FREE),
        (is_mere_recipient and rules.gift_recipients == "withhold", Verdict("withheld_gift_recipient")),
        (rules.marketplace_policy == "forward", FREE),
        ("storefront" in origins, FREE),
        ("unknown" in origins, Verdict("withheld_origin_unknown")),
        (bool(origins) and may_go_without_address, Verdict(hides_address=True)),
        (bool(origins), Verdict("withheld_marketplace")),
        (rules.waits_for_origin, Verdict("withheld_origin_unknown")),
    )
    return next((verdict for holds, verdict in table if holds), FREE)


def find_source(model: Mapping[str, Any]) -> str | None:
    """Return where an order or a subscription comes from: its own source, or that of what is embedded in it."""
    embedded = [model.get("order"), *(model.get("subscriptions") or ()), *(model.get("orders") or ())]
    found = (read_source(item) for item in (model, *embedded) if isinstance(item, dict))
    return next((source for source in found if source is not None), None)


def read_source(model: Mapping[str, Any]) -> str | None:
    """Return a model's own source as text; None if it has none. What no list can name is on neither list."""
    value = model.get("source")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return format_source(value) or (None if value is None or value == "" else UNREADABLE)


def list_unanswered(sources: Iterable[str], rules: ConsentRules) -> set[str]:
    """Return those of the sources that are on neither list and have not been met before."""
    return set(sources) - rules.marketplace_sources - rules.storefront_sources - rules.met_sources
