"""Mailchimp's Marketing API played by the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.mailchimp import Mailchimp
from pipeline.infra.http.client import HTTPClient
from sandbox.mailchimp.app import create_app
from sandbox.mailchimp.world import World
from sandbox.serving import serving
from tests.contracts.kit import DeliveredMessage, Kit, RecordingHTTP
from tests.contracts.messages import AT, person

API_KEY = "0123456789abcdef0123456789abcdef-us1"


KNOWN = str(person(2).email)  # of whom tests send an event as of a person who has a profile


class MailchimpKit:
    """Against the sandbox in a thread."""

    platform = "mailchimp"
    lacks = frozenset({"keep out people it never knew", "take back people whom it has deleted"})

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url
        self.http = RecordingHTTP()

    def config(self) -> dict[str, str]:
        return {"api_key": API_KEY, "audience": self.world.audience.id, "base_url": f"{self.url}/3.0"}

    def destination(self, **changed: str) -> Mailchimp:
        return Mailchimp({**self.config(), **changed}, self.http)

    def bodies(self) -> list[bytes]:
        return self.http.bodies

    def delivered(self) -> list[list[DeliveredMessage]]:
        return self.world.calls

    def knows(self, person: PersonRef) -> bool:
        return self.world.audience.find_address(str(person.email)) is not None

    def who(self, person: PersonRef) -> str:
        return str(person.email)

    def unacceptable(self, message: Message) -> Message:
        return replace(message, name="?")

    def answer_next(self, status: int, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.world.next_answers.append({"status": status, "headers": headers})

    def revoke(self) -> None:
        self.world.keys.clear()

    def unreachable(self) -> Mailchimp:
        return self.destination(base_url="http://127.0.0.1:1/3.0")

    def elsewhere(self) -> None:
        return None


@contextmanager
def mailchimp_kit() -> Iterator[Kit]:
    with running_mailchimp() as kit:
        yield kit


@contextmanager
def running_mailchimp(*, double_optin: bool = False) -> Iterator[MailchimpKit]:
    """The sandbox on loopback inside the block, at the time of the messages that tests send."""
    world = World(API_KEY, now=lambda: AT + 60.0, double_optin=double_optin)
    with serving(create_app(world)) as url:
        kit = MailchimpKit(world, url)
        Mailchimp(kit.config(), HTTPClient()).check()  # makes the merge fields
        world.audience.add(KNOWN, "transactional", world.now())
        yield kit
