"""The interface of a warehouse to the fulfilment, and the fields that its settings form shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
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
    PushAnswer,
    ShippedAnswer,
    WarehouseCall,
)
from pipeline.core.fulfilment_files import FileFormat, FileRefused, ReturnedFile, WrittenFile
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
    exchanges_files: bool = False  # `create` means in the next export; what was shipped comes back in a file
    refuses_duplicates: bool = False  # a second order of the same number is refused, by the warehouse's own promise
    finds_many: bool = False  # many numbers can be asked for in one call: `ManyLookUps`
    creates_at_once: int = 1  # orders that it may be given at the same time, so that its rate is used


class ManyLookUps(Protocol):
    """What a warehouse can do that `finds_many`, besides the interface of every warehouse."""

    def find_absent(self, order_numbers: Sequence[str]) -> Collection[str]:
        """Those of these numbers of which it surely has no order, without side effects.

        What is left out, as all are when the warehouse is in trouble, is not known to exist: it is looked up by itself.
        """


class FileExchange(Protocol):
    """What a warehouse can do that `exchanges_files`, besides the interface of every warehouse."""

    def write_file(self, orders: Sequence[Order], file_format: FileFormat, name: str) -> WrittenFile:
        """Write one row for each box, with its reference. `name`: of the file, without its ending."""

    def read_file(self, content: bytes) -> ReturnedFile | FileRefused:
        """Read what a returned file says. It decides nothing: `pipeline.fulfilment.returned_rows` judges the rows."""


class SharedValues(Protocol):
    """Short-lived secrets that all of our processes share, such as an access token."""

    def get(self, name: str) -> dict[str, str] | None:
        """Return the value, or None if there is none, or no more."""

    def put(self, name: str, value: Mapping[str, str], ttl_s: float) -> None:
        """Keep the value for so long."""

    def lock(self, name: str) -> AbstractContextManager[bool]:
        """Hold the value for a change of it without waiting: False if another holds it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter works with, besides its config."""

    http: HTTPClient  # for addresses that a seller may have named: `get_merchant_http`
    values: SharedValues
    now: Callable[[], int]  # µs since the epoch
    # Takes one call of the warehouse's rate budget, perhaps after a moment, and returns 0.0; or takes none and returns
    # the seconds to wait.
    take_turn: Callable[[], float] = lambda: 0.0
    record: Callable[[WarehouseCall], None] = lambda _: None  # is given every call, right after it


class Warehouse(Protocol):
    """One warehouse, configured for one store. Built for each opened connection; shares the process's HTTP session.

    No method raises because of what the warehouse did, waits, or tries again: each returns one of the answers of
    `pipeline.core.fulfilment`, and the fulfilment decides. A method may make several calls, each within the rate
    budget; RateLimited if it is used up.
    """

    adapter: ClassVar[str]
    title: ClassVar[str]  # shown to people
    steps: ClassVar[tuple[str, ...]]  # what a seller does at the warehouse first, one sentence per step
    fields: ClassVar[tuple[Field, ...]]
    country_format: ClassVar[Literal["alpha2", "alpha3"]]  # in which `Order.ship_to.country` is given to it
    calls_per_second: ClassVar[float]
    account_fields: ClassVar[tuple[str, ...]]  # what names the account by which the warehouse counts calls

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:
        """Raises Misconfigured if a required field is missing or malformed."""

    @property
    def capabilities(self) -> Capabilities:
        """What this warehouse can do, as it is configured."""

    def check(self) -> CheckAnswer:
        """Try the credentials with the smallest request that changes nothing."""

    def create(self, order: Order) -> CreateAnswer:
        """Hand over one order. OutcomeUnknown whenever it may have been taken and a repetition could double it."""

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:
        """The order of this number, without side effects."""

    def list_shipped(self, open_orders: Sequence[tuple[str, str]], cursor: str = "") -> ShippedAnswer:
        """A part of what the warehouse has shipped, in part or whole, or cancelled.

        `open_orders`: (number, external id) of ours, the same for each part. `cursor`: of the part before.
        May also return orders that are not ours; the fulfilment sorts them out. What is acknowledged leaves the
        warehouse's list: read all parts first, or expect to see the rest next time.
        """

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:
        """Say that the store has the tracking numbers; the order is offered no more."""

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:
        """Ask that the order be not sent."""

    def read_push(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:
        """Verify and read a message that the warehouse has sent to us. Calls nothing. Names in lower case."""
