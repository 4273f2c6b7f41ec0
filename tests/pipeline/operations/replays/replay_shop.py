"""A shop whose messages were sent, refused or wait, and the replays of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from pipeline.context import Context
from pipeline.core.messages import Message, Rejected, Sent
from pipeline.ledger.deliveries import acquire_lane, claim, find_next_priority, settle
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import ReplayRow, Selection, find_replay, insert_replay, start_replay, stop_replay
from pipeline.ledger.schema import core
from pipeline.ledger.schema.base import Base
from pipeline.ledger.schema.replays import ReplayItem
from pipeline.operations.replays.count import count_replay
from pipeline.operations.replays.run import Turn, run_replay
from tests.builders import NOW, customer, order
from tests.contexts import make_context
from tests.pipeline.operations.retention_shop import Shop

REFUSED = Selection("refused")


@dataclass
class ReplayShop:
    """One store, one lane. `person` numbers make people; every order is one event of its person."""

    shop: Shop

    def sell(self, *people: int, first: int = 100) -> None:
        for number, person in enumerate(people):
            buyer = customer(id=person, email=f"p{person}@example.com")
            self.shop.record(self.shop.hook("order_new", order(id=first + number, customer=buyer, customer_id=person)))

    @property
    def context(self) -> Context:
        return make_context(self.shop.engine, self.shop.redis)

    def send(self, *, refuses: bool = False, limit: int = 1000) -> list[Message]:
        """Let the platform take, or refuse, what is next in the lane, as the lane does; returns it in its order."""
        sent: list[Message] = []
        with writing(self.shop.engine) as conn:
            held = acquire_lane(conn, 1, 0, NOW)
            while len(sent) < limit and (priority := find_next_priority(conn, 1, 0)) is not None:
                messages = claim(conn, held, limit - len(sent), priority)
                outcome = Rejected("name_too_long") if refuses else Sent(())
                settle(conn, held, [(message.delivery_id, outcome) for message in messages], [], NOW)
                sent += messages
        return sent

    def count(self, selection: Selection = REFUSED, *, again: bool = False, now: int = NOW) -> ReplayRow:
        with writing(self.shop.engine) as conn:
            replay_id = insert_replay(conn, 1, selection, delivers_again=again, user_id=None, now=now)
        count_replay(self.shop.engine, replay_id, lambda: now)
        return self.find(replay_id)

    def begin(self, selection: Selection = REFUSED, *, again: bool = False) -> int:
        return self.begin_row(self.count(selection, again=again))

    def begin_row(self, row: ReplayRow) -> int:
        with writing(self.shop.engine) as conn:
            assert start_replay(conn, row.id, NOW)
        return row.id

    def stop(self, replay_id: int) -> None:
        with writing(self.shop.engine) as conn:
            assert stop_replay(conn, replay_id)

    def turn(self, replay_id: int) -> Turn:
        return run_replay(self.context, replay_id)

    def find(self, replay_id: int) -> ReplayRow:
        with reading(self.shop.engine) as conn:
            row = find_replay(conn, replay_id)
        assert row is not None
        return row

    def list_numbers(self, replay_id: int) -> list[int]:
        """The numbers of the orders whose messages it would send."""
        planned = {row.delivery_id for row in self.shop.rows(ReplayItem) if row.replay_id == replay_id}
        events = {row.event_id for row in self.messages() if row.id in planned}
        return sorted(row.subject_id for row in self.shop.rows(core.Event) if row.id in events)

    def messages(self) -> list[Any]:
        return list(self.shop.rows(core.Delivery))

    def statuses(self) -> list[str]:
        return [row.status for row in self.messages()]

    def change(self, table: type[Base], **values: Any) -> None:
        with writing(self.shop.engine) as conn:
            conn.execute(update(table).values(values))
