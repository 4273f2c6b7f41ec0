"""What a messaging platform looks like to the lanes, and the fields a connect form draws for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pipeline.core.messages import Message, Reply
from pipeline.infra.http.client import HTTPClient


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a merchant fills in to connect a platform."""

    key: str
    label: str
    required: bool = True
    secret: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    elsewhere: bool = False  # decides to which address this machine connects: not for strangers to fill in


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A successful credential check. `config` is the config to save (region and base URL resolved)."""

    account: str  # what the platform calls the workspace; keys the shared rate budget
    config: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)


class Destination(Protocol):
    """One platform, configured for one account. Made anew for each connection; shares the process's session."""

    platform: ClassVar[str]
    title: ClassVar[str]  # as people write it
    steps: ClassVar[tuple[str, ...]]  # what a merchant does at the platform first, a sentence each
    fields: ClassVar[tuple[Field, ...]]
    max_items: ClassVar[int]  # how many messages one `send` takes at the most
    calls_per_second: ClassVar[float]  # the account's default budget

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        """Raise Misconfigured if a required field is missing or malformed."""

    def check(self) -> CheckResult:
        """Try the credentials. Raise BadCredentials, WrongRegion, WrongAddress or Unreachable."""

    def send(self, messages: Sequence[Message]) -> Reply:
        """Send in order. Never raise for what the platform did: every message gets its outcome.

        Messages about one person leave in the order given, and a person's first profile leaves in an earlier
        call than that person's first event. After the first RetryAfter or ConnectionBroken nothing more is
        sent: the rest gets the same outcome.
        """
