"""Erases one person of a store, in one transaction, with one row in `regulations` that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from sqlalchemy import Connection, Engine, insert

from pipeline.context import Context
from pipeline.core.messages import Identifiers
from pipeline.delivery.forgetting import enqueue_forget
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.deliveries.forgetting import ForgetRequest
from pipeline.ledger.deliveries.stopped import stop_messages
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.inbox_fence import lock_inbox
from pipeline.ledger.regulations import ERASE, SUPPRESS, add_identifiers, add_regulation, ensure_hasher, mark_applied
from pipeline.ledger.schema.core import Person
from pipeline.ledger.stores import StoreRow
from pipeline.redaction.identity import Identity
from pipeline.regulations.boxes import empty_person_boxes
from pipeline.regulations.dead_hooks import empty_dead_hooks
from pipeline.regulations.events import find_linked_events, load_names, redact_events
from pipeline.regulations.mentions import Mentions, find_mentions
from pipeline.regulations.people import FoundPerson, find_person
from pipeline.regulations.rows import empty_rows, redact_gifts_and_givers

_KEY_BITS, _UID_BITS = 256, 128


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Whom to erase. `text`: an address, a customer id or a person id, as `find_person` takes it."""

    store: StoreRow
    text: str = field(repr=False)
    suppress: bool = False
    at_destinations: bool = False
    actor: Actor = COMMAND_LINE_ACTOR  # who asks


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done. `emptied`: counts of rows by kind."""

    regulation_id: int
    person_id: int | None
    emptied: dict[str, int]


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases people of one installation."""

    engine: Engine
    secret_keys: Sequence[str] = field(repr=False)
    rng: Random = field(repr=False)
    now: Callable[[], int]

    def erase(self, request: ErasureRequest) -> Erasure:
        """Erase a person for a new regulation. Raises Misconfigured as `find_person` does.

        What no key of the person leads to is searched for before the transaction, so that it is a short one.
        """
        with reading(self.engine) as conn:
            person = find_person(conn, request.store, request.text)
            mentions = find_mentions(conn, request.store, person.identity)
        with writing(self.engine) as conn:
            lock_inbox(conn)  # nothing is recorded meanwhile
            person = find_person(conn, request.store, request.text)
            return self._erase(conn, request, person, mentions)

    def erase_again(self, conn: Connection, person: FoundPerson, regulation_id: int) -> Counter[str]:
        """Erase a person whom an older backup brought back, in the caller's transaction; returns what was emptied."""
        self._add_hashes(conn, regulation_id, person)
        emptied = erase_person(conn, person, find_mentions(conn, person.store, person.identity), self.now())
        mark_applied(conn, regulation_id, emptied, self.now())
        return emptied

    def _erase(self, conn: Connection, request: ErasureRequest, person: FoundPerson, mentions: Mentions) -> Erasure:
        now = self.now()
        if request.at_destinations and person.person_id is None:
            person = replace(person, person_id=_insert_empty_person(conn, request.store, now))
        values = {
            "uid": f"{self.rng.getrandbits(_UID_BITS):032x}",
            "store_id": request.store.id,
            "person_id": person.person_id,
            "kind": SUPPRESS if request.suppress else ERASE,
            "user_id": request.actor.user_id,
            "at_destinations": request.at_destinations,
        }
        regulation_id = add_regulation(conn, values, (), now)
        self._add_hashes(conn, regulation_id, person)
        newer = find_mentions(conn, request.store, person.identity, mentions.read_to)
        emptied = erase_person(conn, person, replace(newer, events=mentions.events | newer.events), now)
        if request.at_destinations and person.person_id is not None:
            who = person.identity
            forget = build_forget_request(regulation_id, person.person_id, who, suppress=request.suppress)
            enqueue_forget(conn, request.store.id, forget, now)
        mark_applied(conn, regulation_id, emptied, now)
        about = {"regulation": regulation_id, "person": person.person_id}
        record_store_action(conn, request.store.id, request.actor, "person.erased", now, about)
        return Erasure(regulation_id, person.person_id, dict(emptied))

    def _add_hashes(self, conn: Connection, regulation_id: int, person: FoundPerson) -> None:
        random = self.rng.getrandbits(_KEY_BITS).to_bytes(_KEY_BITS // 8, "big")
        uid = f"{self.rng.getrandbits(_UID_BITS):032x}"
        hasher = ensure_hasher(conn, self.secret_keys, random, uid, self.now())
        store = person.store
        digests = [(kind, hasher.hash_new(store.name, kind, value)) for kind, value in person.identity.build_keys()]
        add_identifiers(conn, regulation_id, store.id, digests)


def build_eraser(context: Context) -> Eraser:
    """The eraser of a process or a command."""
    return Eraser(context.engine, context.settings.secret_keys, context.rng, context.now)


def erase_person(conn: Connection, person: FoundPerson, mentions: Mentions, now: int) -> Counter[str]:
    """Empty everything that names the person; returns how many rows of each kind. Erasing again changes nothing."""
    emptied: Counter[str] = Counter()
    if person.person_id is not None:
        emptied["open_messages"] = stop_messages(conn, person.person_id, now)
    linked = find_linked_events(conn, person)
    person = replace(person, identity=load_names(conn, person, linked))
    emptied.update(redact_events(conn, person, linked | mentions.events))
    emptied.update(redact_gifts_and_givers(conn, person, linked))
    emptied.update(empty_dead_hooks(conn, person, mentions.dead_hooks))
    emptied["boxes"] = empty_person_boxes(conn, person)
    emptied.update(empty_rows(conn, person.person_id))
    return Counter({name: count for name, count in sorted(emptied.items()) if count})


def build_forget_request(regulation_id: int, person_id: int, who: Identity, *, suppress: bool) -> ForgetRequest:
    """What the platforms of the store are asked."""
    identifiers = Identifiers(tuple(sorted(who.customer_ids)), tuple(sorted(who.emails)))
    return ForgetRequest(regulation_id, person_id, identifiers, "suppress" if suppress else "delete")


def _insert_empty_person(conn: Connection, store: StoreRow, now: int) -> int:
    """A row for messages about a person whom only the platforms know."""
    values = {"store_id": store.id, "attributes": {}, "known_at": 0, "created_at": now}
    return conn.execute(insert(Person).values(values).returning(Person.id)).scalar_one()
