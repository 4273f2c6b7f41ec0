"""The interface of a messaging platform to the lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pipeline.core.form_fields import Field
from pipeline.core.messages import ForgetMode, Identifiers, Message, Reply
from pipeline.infra.http.client import HTTPClient


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a successful credential check. `config` is to be saved; its region and base URL are resolved."""

    account: str  # the platform's id of the workspace; the rate budget is shared by it
    config: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestText:
    """A request that would carry one message, for people. `user`: placeholders of the keys, if they are sent so.

    `help` says what stands for what.
    """

    method: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    user: str = ""
    headers: tuple[str, ...] = ()
    help: str = ""


class Destination(Protocol):
    """One platform, configured for one account. Built for each opened connection; shares the process's HTTP session."""

    platform: ClassVar[str]
    title: ClassVar[str]  # shown to people
    web_page: ClassVar[str]  # where people look at the platform
    steps: ClassVar[tuple[str, ...]]  # what a merchant does at the platform first, one sentence per step
    fields: ClassVar[tuple[Field, ...]]
    max_items: ClassVar[int]  # messages in one `send`
    calls_per_second: ClassVar[float]  # the account's default budget
    # (the field of the config that is one user's, calls that may be in progress for that user); None: no limit is known
    calls_at_once: ClassVar[tuple[str, int] | None]
    campaign_age_s: ClassVar[int | None]  # an event that happened longer ago starts no campaign; None: any does
    forget_modes: ClassVar[tuple[ForgetMode, ...]]  # what the platform can do about a person; empty: neither
    campaign_limit_s: ClassVar[int | None]  # an older event starts no campaign there; None: any does
    switched_off_after_s: ClassVar[int | None]  # a connection that fails for so long is paused; None: it is never
    address_change_help: ClassVar[str]  # what keeps a customer's old address there; "" if nothing does

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        """Raises Misconfigured if a required field is missing or malformed."""

    def check(self) -> CheckResult:
        """Try the credentials. Raises BadCredentials, WrongRegion, WrongAddress or Unreachable."""

    def send(self, messages: Sequence[Message]) -> Reply:
        """Send the messages and return an outcome for each. Never raises because of what the platform did.

        Messages about one person are sent in the order given, and a person's first profile is sent in an earlier
        call than that person's first event. After the first RetryAfter or ConnectionBroken nothing more is sent:
        the remaining messages get the same outcome.
        """

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        """Let the platform forget one person, and return one outcome: Sent once it has done so for every identifier.

        delete: the person's profile and history are deleted; a later message creates a new profile.
        suppress: the same, and every later message about these identifiers is ignored, ours included.
        An unknown person is forgotten already: Sent. Never raises because of what the platform did. Only a mode of
        `forget_modes` is asked for.
        """
