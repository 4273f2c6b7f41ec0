"""The interface of a warehouse to the fulfilment, and the fields that its settings form shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from pipeline.core.form_fields import Field
from pipeline.core.fulfilment import (
    AcknowledgeAnswer,
    CancelAnswer,
    CheckAnswer,
    CreateAnswer,
    FindAnswer,
    Order,
    ShippedAnswer,
)
from pipeline.infra.http.client import HTTPClient


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the warehouse can do; the fulfilment asks for nothing else."""

    finds: bool = True  # an order can be looked up by its number
    cancels: bool = True
    lists_shipped: bool = True  # it is asked for what was shipped
    pushes: bool = False  # it may call us with what was shipped
    acknowledges: bool = False  # it offers what was shipped until we say that we have it
    repeats_safely: bool = False  # the same create twice makes one order, by the warehouse's own promise


class Warehouse(Protocol):
    """One warehouse, configured for one store. Built for each opened connection; shares the process's HTTP session.

    No method raises because of what the warehouse did, waits, or tries again: each returns one of the answers of
    `pipeline.core.fulfilment`, and the fulfilment decides.
    """

    adapter: ClassVar[str]
    title: ClassVar[str]  # shown to people
    steps: ClassVar[tuple[str, ...]]  # what a seller does at the warehouse first, one sentence per step
    fields: ClassVar[tuple[Field, ...]]
    capabilities: ClassVar[Capabilities]
    country_format: ClassVar[Literal["alpha2", "alpha3"]]
    calls_per_second: ClassVar[float]

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        """Raises Misconfigured if a required field is missing or malformed."""

    def check(self) -> CheckAnswer:
        """Try the credentials with the smallest request that changes nothing."""

    def create(self, order: Order) -> CreateAnswer:
        """Hand over one order. OutcomeUnknown whenever it may have been taken."""

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:
        """The order of this number, without side effects."""

    def list_shipped(self, open_orders: Sequence[tuple[str, str]]) -> ShippedAnswer:
        """What the warehouse has shipped, in part or whole, or cancelled. `open_orders`: (number, external id) of ours.

        May also return orders that are not ours; the fulfilment sorts them out.
        """

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:
        """Say that the store has the tracking numbers; the order is offered no more."""

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:
        """Ask that the order be not sent."""
