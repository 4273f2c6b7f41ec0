"""The record of every event and the outcome of its hooks, with which a test compares a receiver."""

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.store import dates
from sandbox.store.fake_people import fold_email
from sandbox.store.state import Row, State
from sandbox.store.webhooks.shop_event import ShopEvent

OUTCOMES = ("accepted", "refused", "unanswered")


@dataclass
class EventRecord:
    """An event, and how often its hook was posted."""

    n: int
    event: str
    subject: str
    subject_id: int | None
    detail: Any
    at: str
    person: Row | None
    recipient: Row | None
    gift: str | None
    test: bool
    form: str
    lost: bool
    origin: str | None
    broken: bool = False  # a broken body is posted in addition to that of an event, never in its place
    sent_at: float | None = None
    posts: int = 0
    accepted: int = 0


@dataclass
class ExtraPost:
    """A post without an event: a broken body, or an unknown event."""

    event: str
    posts: int = 0
    accepted: int = 0


@dataclass
class Tally:
    """Posts by outcome, and the number of events posted at least once."""

    sent: int = 0
    posts: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))


class Truth:
    """Filled by the dispatcher, and by the posting threads as answers come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.happenings: list[EventRecord] = []
        self.broken: list[ExtraPost] = []
        self.unknown: list[ExtraPost] = []
        self.tally = Tally()

    def record(self, news: ShopEvent, state: State, form: str, *, lost: bool) -> EventRecord:
        happening = EventRecord(
            n=len(self.happenings) + 1,
            event=news.event,
            subject=news.subject,
            subject_id=news.subject_id,
            detail=news.detail,
            at=dates.iso(state.now),
            person=get_person(news, state),
            recipient=get_recipient(news, state),
            gift=news.gift,
            test=news.test,
            form=form,
            lost=lost,
            origin=news.origin,
        )
        with self._lock:
            self.happenings.append(happening)
        return happening

    def record_extra(self, event: str, among: list[ExtraPost]) -> ExtraPost:
        stray = ExtraPost(event)
        with self._lock:
            among.append(stray)
        return stray

    def posted(self, mark: EventRecord | ExtraPost, outcome: str, at: float) -> None:
        """Record the response to a post about `mark`, or that none came."""
        with self._lock:
            self.tally.posts += 1
            self.tally.outcomes[outcome] += 1
            if isinstance(mark, EventRecord) and mark.sent_at is None:
                mark.sent_at = at
                self.tally.sent += 1
            mark.posts += 1
            mark.accepted += outcome == "accepted"

    def begin_tally(self) -> None:
        with self._lock:
            self.tally = Tally()

    def report(self) -> Row:
        with self._lock:
            return {
                "happenings": [asdict(happening) for happening in self.happenings],
                "broken": [asdict(stray) for stray in self.broken],
                "unknown": [asdict(stray) for stray in self.unknown],
            }

    def counts(self) -> Row:
        with self._lock:
            return {"told": self.tally.sent, "posts": self.tally.posts, **self.tally.outcomes}


def get_person(news: ShopEvent, state: State) -> Row | None:
    customer = news.customer
    if customer is None:
        return None
    email = fold_email(customer["email"])
    return {"customer_id": customer["id"], "email": email, "at_storefront": email in state.storefront_emails}


def get_recipient(news: ShopEvent, state: State) -> Row | None:
    email = news.recipient
    return {"email": email, "at_storefront": email in state.storefront_emails} if email else None
