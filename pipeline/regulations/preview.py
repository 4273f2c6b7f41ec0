"""Says what an erasure will empty, before it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pipeline.core.plural import pluralize
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.schema.core import Delivery, Fact
from pipeline.regulations.erase import ErasureRequest
from pipeline.regulations.events import find_linked_events
from pipeline.regulations.mentions import find_mentions
from pipeline.regulations.people import FoundPerson, find_person


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """What an erasure would empty. `counts`: noun -> number of rows."""

    person: FoundPerson
    counts: Mapping[str, int]
    open_messages: int

    @property
    def summary(self) -> list[str]:
        """Sentences that hold whatever the options."""
        emptied = ", ".join(pluralize(count, noun) for noun, count in self.counts.items() if count) or "nothing"
        sentences = [f"Emptied: {emptied}. Ids, times, outcomes and counts stay, and so does what is another person's."]
        if self.open_messages:
            waiting = pluralize(self.open_messages, "message")
            sentences.append(f"{waiting} that {'waits' if self.open_messages == 1 else 'wait'} will not be sent.")
        return sentences


def preview_erasure(conn: Connection, request: ErasureRequest) -> ErasurePreview:
    """Count what an erasure would empty. Raises Misconfigured as `find_person` does."""
    person = find_person(conn, request.store, request.text)
    mentions = find_mentions(conn, request.store, person.identity)
    mine = Delivery.person_id == (person.person_id or 0), Delivery.kind != "forget"
    facts = select(func.count()).where(Fact.person_id == (person.person_id or 0))
    counts = {
        "event": len(find_linked_events(conn, person) | mentions.events),
        "message": conn.execute(select(func.count()).where(*mine)).scalar_one(),
        "fact": conn.execute(facts).scalar_one(),
        "gift": len(person.identity.received),
        "dead hook": len(mentions.dead_hooks),
    }
    return ErasurePreview(person, counts, conn.execute(select(func.count()).where(*mine, OPEN)).scalar_one())


def describe_options(request: ErasureRequest) -> list[str]:
    """Sentences about what these options do, and what they leave."""
    mode = "suppress" if request.suppress else "delete"
    return [
        f"Every connected platform is asked to {mode} the person."
        if request.at_destinations
        else "The platforms keep the person.",
        "Later hooks about the person are recognised and counted, and not stored."
        if request.suppress
        else "A later hook, or one that waits in the inbox now, brings the person back as a new one.",
    ]
