"""Recognises suppressed people in what is about to be recorded, and takes them out before anything is written.

What is left of a hook is recorded as usual. Where nothing is left, the event's row stays, without data and body: so the
event is known, and a repeat of it is a repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from pipeline.core.hooks import FailedHook, RawBody
from pipeline.events.catalogue import get_event_row
from pipeline.ledger.regulations import (
    Hasher,
    StoreKey,
    find_stores_with_suppressed,
    find_suppressed,
    load_hasher,
)
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.snapshot import RecordingStore
from pipeline.redaction.body import SUPPRESSED, Redaction, find_others_redactions, find_redaction
from pipeline.redaction.identity import (
    Key,
    LearnedHash,
    build_identity,
    list_customer_keys,
    list_recipient_keys,
    list_strings,
)
from pipeline.redaction.raw_body import EMPTIED_KEY, list_raw_keys
from pipeline.redaction.text import find_addresses, list_views

_NOTHING: RawBody = (b"", None)


@dataclass(slots=True)
class Recognition:
    """How often each regulation has recognised its person in a batch, and the failed hooks that name them."""

    counts: Counter[int] = field(default_factory=Counter)
    learned: list[LearnedHash] = field(default_factory=list)  # of what else leads to them
    failed: set[str] = field(default_factory=set)  # entry ids


@dataclass(frozen=True, slots=True)
class _Mentioned:
    """The keys of the people in one hook, by how it names them."""

    customer: Sequence[Key] = ()
    recipient: Sequence[Key] = ()
    others: Sequence[Key] = ()  # addresses anywhere in it
    in_parcel: Sequence[Redaction] = ()  # of the customers of other orders in the same parcel

    @property
    def keys(self) -> Iterator[Key]:
        yield from self.customer
        yield from self.recipient
        yield from self.others
        for redaction in self.in_parcel:
            yield from redaction.who.build_keys()


def remove_suppressed_people(
    conn: Connection,
    secret_keys: Sequence[str],
    stores: Iterable[RecordingStore],
    candidates: Sequence[EventCandidate],
    failed: Sequence[FailedHook] = (),
    raw_bodies: Mapping[str, RawBody] | None = None,
) -> Recognition:
    """Take suppressed people out of the candidates, which are not planned yet, and find the failed hooks to empty.

    Raises Misconfigured if a store has suppressed people and no secret key decrypts the key of their hashes: nothing
    may be recorded then.
    """
    raw_bodies = raw_bodies or {}
    by_name = {store.name: store for store in stores}
    concerned = find_stores_with_suppressed(conn, {store.id for store in by_name.values()}) if by_name else set()
    if not concerned:
        return Recognition()
    names = {store.id: store.name for store in by_name.values()}
    fresh = [
        (candidate, _list_keys(candidate, raw_bodies)) for candidate in candidates if candidate.store.id in concerned
    ]
    dead = [
        (hook, store.id, _list_failed_keys(hook, raw_bodies))
        for hook in failed
        if (store := by_name.get(hook["store"])) is not None and store.id in concerned
    ]
    wanted = {(candidate.store.id, *key) for candidate, mentioned in fresh for key in mentioned.keys}
    wanted |= {(store_id, *key) for _, store_id, keys in dead for key in keys}
    hasher = load_hasher(conn, secret_keys)
    suppressed = find_suppressed(conn, hasher, names, wanted)
    result = Recognition()
    for candidate, mentioned in fresh:
        result.counts.update(_remove_from(candidate, mentioned, suppressed))
        result.learned += _learn(candidate, mentioned, suppressed, hasher)
    for hook, store_id, keys in dead:
        if found := {suppressed[store_id, *key] for key in keys if (store_id, *key) in suppressed}:
            result.counts.update(found)
            result.failed.add(hook["entry_id"])
    return result


def empty_failed_hooks(
    failed: Sequence[FailedHook], raw_bodies: Mapping[str, RawBody], entry_ids: Collection[str]
) -> tuple[list[FailedHook], Mapping[str, RawBody]]:
    """The failed hooks and raw bodies, these entries without what was sent."""
    if not entry_ids:
        return list(failed), raw_bodies
    hooks = [
        FailedHook(**{**hook, "detail": {EMPTIED_KEY: SUPPRESSED}}) if hook["entry_id"] in entry_ids else hook
        for hook in failed
    ]
    return hooks, {**raw_bodies, **dict.fromkeys(entry_ids, _NOTHING)}


def _list_keys(candidate: EventCandidate, raw_bodies: Mapping[str, RawBody]) -> _Mentioned:
    raw = raw_bodies.get(candidate.hook["entry_id"])
    texts = [text for text in list_strings(candidate.data) if "@" in text]
    addresses = find_addresses([*texts, *(list_views(*raw) if raw is not None else ())])
    return _Mentioned(
        list_customer_keys(candidate.row, candidate.data),
        list_recipient_keys(candidate.row, candidate.data),
        [("email", address) for address in sorted(addresses)],
        find_others_redactions(candidate.row, candidate.data),
    )


def _list_failed_keys(hook: FailedHook, raw_bodies: Mapping[str, RawBody]) -> list[Key]:
    """The addresses in a hook that failed, and the ids of its customer if it can be read."""
    raw = raw_bodies.get(hook["entry_id"], _NOTHING)
    return list_raw_keys(get_event_row(hook["event"]), raw)


def _remove_from(candidate: EventCandidate, mentioned: _Mentioned, suppressed: Mapping[StoreKey, int]) -> set[int]:
    """Take the suppressed people out of a candidate; returns the ids of their regulations."""

    def find(keys: Iterable[Key]) -> dict[Key, int]:
        ids = {key: suppressed.get((candidate.store.id, *key)) for key in keys}
        return {key: found for key, found in ids.items() if found is not None}

    customer, recipient, others = (find(keys) for keys in (mentioned.customer, mentioned.recipient, mentioned.others))
    known = {*mentioned.customer, *mentioned.recipient}
    people = [
        # All that leads to the customer of this body is theirs, if one of it is.
        *([build_identity(mentioned.customer)] if customer else ()),
        *(
            [build_identity([*recipient, *(key for key in mentioned.recipient if key[0] == "email")])]
            if recipient
            else ()
        ),
        *([build_identity(others)] if others.keys() - known else ()),
    ]
    # Where the data does not name them, a field of the body does that no schema reads.
    redactions = [find_redaction(candidate.row, candidate.data, who) or Redaction("mention", who) for who in people]
    in_parcel = [(redaction, find(redaction.who.build_keys())) for redaction in mentioned.in_parcel]
    redactions += [redaction for redaction, found in in_parcel if found]
    if customer and recipient and redactions:
        redactions = [replace(redactions[0], part="whole")]
    if redactions:
        _redact(candidate, redactions)
    of_parcel = (found for _, keys in in_parcel for found in keys.values())
    return {*customer.values(), *recipient.values(), *others.values(), *of_parcel}


def _learn(
    candidate: EventCandidate, mentioned: _Mentioned, suppressed: Mapping[StoreKey, int], hasher: Hasher
) -> Iterator[LearnedHash]:
    """Hashes of the other keys of a recognised person, so that a later hook with only one of these is recognised.

    Not of the address of a gift that is known to be theirs: the giver may have chosen another person since.
    """
    store = candidate.store
    is_recipient = any(kind == "email" and (store.id, kind, value) in suppressed for kind, value in mentioned.recipient)
    of_recipient = [key for key in mentioned.recipient if is_recipient or key[0] != "email"]
    for keys in (mentioned.customer, of_recipient):
        ids = {suppressed[store.id, *key] for key in keys if (store.id, *key) in suppressed}
        for regulation_id in ids:
            for kind, value in keys:
                if (store.id, kind, value) not in suppressed:
                    yield LearnedHash(regulation_id, store.id, kind, hasher.hash_new(store.name, kind, value))


def _redact(candidate: EventCandidate, redactions: Sequence[Redaction]) -> None:
    """Replace the candidate's data. Its identity, made of the whole body, stays; so do the ids of its subjects."""
    plan = candidate.build_plan({})
    data = candidate.data
    for redaction in redactions:
        data = redaction.apply(data)
    candidate.hook["data"] = data
    candidate.hook["unknown"] = []
    candidate.redactions = tuple(redactions)
    if candidate.is_suppressed:
        candidate.plan = replace(plan, people=(), notes=())
