"""Any warehouse that takes our signed JSON messages, and may send its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import quote

from pipeline.core.form_fields import Field
from pipeline.core.fulfilment import (
    AcknowledgeAnswer,
    CancelAnswer,
    CheckAnswer,
    CreateAnswer,
    FindAnswer,
    NotFound,
    Order,
    PushAnswer,
    PushRefused,
    RateLimited,
    Retryable,
    ShippedAnswer,
    ShippedPage,
    Unsupported,
    WarehouseOrder,
)
from pipeline.infra.crypto.signed_messages import NotVerified, read_secrets, sign, verify
from pipeline.infra.form_config import read_config
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.base import Capabilities, Tools
from pipeline.warehouses.calls import Caller, Endpoint
from pipeline.warehouses.open_orders import read_singly, start_part
from pipeline.warehouses.signed_webhook.answers import parse_cancelled, parse_created, parse_found
from pipeline.warehouses.signed_webhook.incoming import parse_push
from pipeline.warehouses.signed_webhook.messages import OutgoingMessage, build_cancel, build_create, build_query

CREATES_AT_ONCE = 4
READS_PER_PART = 20  # so that a part is not long under way
_CHECKED_NUMBER = "CRATEWIRE-CHECK"  # no order has it
_US_PER_SECOND = 1_000_000


class SignedWebhook:
    """One receiver of orders."""

    adapter: ClassVar[str] = "signed_webhook"
    title: ClassVar[str] = "Signed web hook"
    steps: ClassVar[tuple[str, ...]] = (
        "Switch off any other link of the shop with this warehouse: with two, every box would be sent twice.",
        "Build, or have built, an address that takes orders as docs/warehouse.md describes them.",
        "Make a secret (“whsec_” and 32 random bytes in base64), and give it to the warehouse, too.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("url", "Address", help="Where orders are posted.", sets_host=True),
        Field(
            "secret", "Secret", secret=True, help="Signs what we send. Two, with a space between, while it is replaced."
        ),
        Field(
            "inbound_secret",
            "Secret of the warehouse",
            required=False,
            secret=True,
            help="Signs what the warehouse sends. Without it nothing is taken from it. Two, as above.",
        ),
        Field(
            "order_query",
            "Answers questions",
            default="yes",
            choices=("yes", "no"),
            names_account=False,
            help="Whether the address also answers GET …/orders/NUMBER, with which we look orders up.",
        ),
    )
    country_format: ClassVar[Literal["alpha2", "alpha3"]] = "alpha2"
    calls_per_second: ClassVar[float] = 10.0
    account_fields: ClassVar[tuple[str, ...]] = ("url",)

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:
        given = read_config(self.fields, config)
        self._url = given["url"]
        self._secrets = read_secrets(given["secret"], "secret")
        self._inbound_secrets = read_secrets(given["inbound_secret"], "inbound_secret")
        self._is_asked = given["order_query"] == "yes"
        self._now = tools.now
        self._caller = Caller(tools, "")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            finds=self._is_asked,
            lists_shipped=self._is_asked,
            pushes=bool(self._inbound_secrets),
            repeats_safely=True,
            refuses_duplicates=True,
            creates_at_once=CREATES_AT_ONCE,
        )

    def check(self) -> CheckAnswer:
        """Ask for an order that there is not; without questions, only that the address answers and takes the key."""
        answer = parse_found(self._query(_CHECKED_NUMBER), _CHECKED_NUMBER)
        if isinstance(answer, NotFound | WarehouseOrder):
            return {"answers_questions": True}
        is_refused = isinstance(answer, Retryable) and answer.reason == "answered 405"
        return {"answers_questions": False} if is_refused and not self._is_asked else answer

    def create(self, order: Order) -> CreateAnswer:
        return parse_created(self._post(build_create(order)), order)

    def find(self, order_number: str, external_id: str = "") -> FindAnswer:  # noqa: ARG002 - the number finds it
        return parse_found(self._query(order_number), order_number)

    def list_shipped(self, open_orders: Sequence[tuple[str, str]], cursor: str = "") -> ShippedAnswer:
        """Ask for the next open orders one by one."""
        if not self._is_asked:
            return ShippedPage(())
        return read_singly(open_orders, cursor, self.find, limit=READS_PER_PART, is_over=start_part(self._now))

    def acknowledge(self, order_number: str, tracking_numbers: Sequence[str]) -> AcknowledgeAnswer:  # noqa: ARG002
        """Nothing: the answer to a message acknowledges it."""
        return None

    def cancel(self, order_number: str, external_id: str, reason: str) -> CancelAnswer:
        return parse_cancelled(self._post(build_cancel(order_number, external_id, reason)))

    def read_push(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:
        if not self._inbound_secrets:
            return Unsupported()
        verified = verify(self._inbound_secrets, headers, body, self._now() // _US_PER_SECOND)
        if isinstance(verified, NotVerified):
            return PushRefused("signature", verified.reason)
        return parse_push(verified, body)

    def _post(self, message: OutgoingMessage) -> HTTPResponse | RateLimited:
        headers = {"Content-Type": "application/json", **self._sign(message)}
        return self._caller.call(Endpoint("POST", self._url, message.type), headers, message.body)

    def _query(self, order_number: str) -> HTTPResponse | RateLimited:
        message = build_query(order_number)
        url = f"{self._url.rstrip('/')}/orders/{quote(order_number, safe='')}"
        return self._caller.call(Endpoint("GET", url, message.type), self._sign(message))

    def _sign(self, message: OutgoingMessage) -> dict[str, str]:
        return sign(self._secrets, message.id, self._now() // _US_PER_SECOND, message.body)
