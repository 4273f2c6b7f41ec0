"""Stores with a past in the ledger, and a clock that jumps."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import Engine, insert, update

from pipeline.ledger.accounts import NewUser, Role, add_member, add_user
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.mails import claim_mail, mail_left, waiting_mails
from pipeline.ledger.silence.alarms import AlarmRow, last_alarms
from pipeline.ledger.silence.canaries import claim_canary, note_answer
from pipeline.ledger.silence.notices import claim_notice, notice_told, waiting_notices
from pipeline.ledger.silence_tables import Canary, HeardHour
from pipeline.ledger.stores import save_store
from pipeline.secrets import unseal
from pipeline.silence.sweeping import Ears, sweep
from pipeline.silence.telling import Audience
from pipeline.silence.trying import Means
from tests.pipeline.silence.pasts import DAY, at, every_day, heard_at

KEYS = ("a-key-that-only-tests-know",)
PUBLIC = "https://hooks.example.com"
OFFICE = range(9, 18)


@dataclass
class Town:
    """Stores that tell us something from nine to six. It is evening after their last day."""

    engine: Engine
    clock: int = at(30 * DAY - 4)
    canary_seconds: float = 0.0
    heartbeat_seconds: float = 0.0
    notices: bool = True
    stores: dict[str, int] = field(default_factory=dict)
    _numbers: count = field(default_factory=count)

    def store(self, name: str = "acme", account: str = "default", events: tuple[str, ...] = ("order_new",)) -> int:
        with writing(self.engine) as db:
            self.stores[name] = save_store(db, name, self.clock, account=account).id
        for event in events:
            self.heard(name, *every_day(OFFICE, 30), event=event)
        return self.stores[name]

    def heard(self, store: str, *hours: float, event: str = "order_new") -> None:
        """Hooks so many hours after the beginning."""
        rows = [
            {"hour": one.hour, "first_at": one.first_at, "last_at": one.last_at, "hooks": 1} for one in heard_at(hours)
        ]
        mine = {"store_id": self.stores[store], "event": event}
        with writing(self.engine) as db:
            db.execute(insert(HeardHour), [{**mine, **row} for row in rows])

    def owner(self, email: str, account: str = "default", role: Role = "owner", *, confirmed: bool = True) -> None:
        with writing(self.engine) as db:
            user_id = add_user(db, NewUser(email, "hash", email, confirmed=confirmed), self.clock)
            store = save_store(db, f"of-{account}", self.clock, account=account)
            assert user_id is not None
            add_member(db, store.account_id, user_id, role, self.clock)

    def sweep(self, hours: float = 0.0) -> list[int]:
        """Look, so many hours later."""
        self.clock += at(hours) - at(0)
        return sweep(self.ears())

    def ears(self) -> Ears:
        means = Means(self.heartbeat_seconds, self.canary_seconds, self.nonce)
        return Ears(self.engine, means, Audience(KEYS, PUBLIC, self.notices, self.nonce), lambda: self.clock)

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"

    def alarms(self) -> list[AlarmRow]:
        with reading(self.engine) as db:
            return [*reversed(last_alarms(db, 50))]

    def open(self) -> list[tuple[str | None, str]]:
        """(store, event) of the open alarms."""
        return [(one.store, one.event) for one in self.alarms() if one.ended_at is None]

    def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of what was written since the last time."""
        found = []
        with writing(self.engine) as db:
            for mail_id in waiting_mails(db, self.clock):
                mail = claim_mail(db, mail_id, self.clock)
                assert mail is not None
                content = unseal(KEYS, mail.content)
                found.append((mail.recipient, content["subject"], content["text"]))
                mail_left(db, mail_id, self.clock)
        return found

    def told(self) -> list[dict]:
        """The notices written since the last time."""
        found = []
        with writing(self.engine) as db:
            for notice_id in waiting_notices(db, self.clock):
                notice = claim_notice(db, notice_id, self.clock)
                assert notice is not None
                found.append(notice.content)
                notice_told(db, notice_id, self.clock)
        return found

    def answer(self, canaries: list[int], fault: str | None = None, *, arrives: bool = True) -> None:
        """What becomes of canaries that were sent just now."""
        with writing(self.engine) as db:
            for canary_id in canaries:
                claim_canary(db, canary_id, self.clock)
                note_answer(db, canary_id, fault, self.clock)
                if fault is None and arrives:
                    db.execute(update(Canary).where(Canary.id == canary_id).values(arrived_at=self.clock))


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)
