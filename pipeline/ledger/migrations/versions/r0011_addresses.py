"""Normalizes addresses: an address that was stored in another form finds the same person as its normal form.

Old keys stay, so that the stored form still finds the person. Where two people are merged, the facts and events of the
one without a customer id move to the other; the row stays, and no key finds it. Profiles whose address has changed are
sent again by the next daily pass, or with the person's next event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic import op
from sqlalchemy import Connection, Row, and_, column, delete, func, insert, select, table, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON, BigInteger, Text

from schemas.email import is_email, normalize_email

revision = "0011"
down_revision = "0010"

AnyJSON = JSON().with_variant(JSONB, "postgresql")

PEOPLE = table(
    "people",
    *(column(name, BigInteger) for name in ("id", "store_id", "customer_id", "known_at", "untold_since")),
    column("email", Text),
)
KEYS = table("person_keys", column("store_id"), column("kind"), column("value", Text), column("person_id"))
FACTS = table("facts", column("person_id"), column("kind"), column("subject"), column("data", AnyJSON))
GIFTS = table("gifts", column("store_id"), column("kind"), column("subject_id"), column("email", Text))
CASTS = table("event_people", column("event_id"), column("person_id"), column("role"))
DELIVERIES = table("deliveries", column("person_id"))
INTRODUCTIONS = table("introductions", column("connection_id"), column("person_id"))
_NOT_NORMAL = {
    # Characters beyond ASCII, and control characters. An address without either is normal already.
    "sqlite": "length(CAST({0} AS BLOB)) <> length({0}) OR {0} GLOB '*[' || char(1) || '-' || char(31, 127) || ']*'",
    "postgresql": "octet_length({0}) <> char_length({0}) OR {0} ~ '[[:cntrl:]]'",
}


def upgrade() -> None:
    db = op.get_bind()
    for row in _select_unnormalized(db, select(KEYS).where(KEYS.c.kind == "email"), "value"):
        normal = normalize_email(row.value)
        if normal is not None and normal != row.value and is_email(normal):
            _add_key(db, row, normal)
    for row in _select_unnormalized(db, select(GIFTS).where(GIFTS.c.email.is_not(None)), "email"):
        gift = _same(GIFTS, row, "store_id", "kind", "subject_id")
        db.execute(update(GIFTS).where(gift).values(email=normalize_email(row.email)))


def _select_unnormalized(db: Connection, query: Any, name: str) -> Iterator[Row[Any]]:
    """The rows whose address is not normal. Read at once: they are few, and the table changes meanwhile."""
    return iter(db.execute(query.where(text(f"({_NOT_NORMAL[db.dialect.name].format(name)})"))).all())


def _add_key(db: Connection, row: Row[Any], normal: str) -> None:
    """Add the normal form as a key of the person whom the old form finds."""
    key = and_(KEYS.c.store_id == row.store_id, KEYS.c.kind == "email", KEYS.c.value == normal)
    other = db.execute(select(KEYS.c.person_id).where(key)).scalar()
    old = db.execute(select(KEYS.c.person_id).where(_same(KEYS, row, "store_id", "kind", "value"))).scalar_one()
    _correct(db, old, row.value, normal)
    if other is None:
        db.execute(insert(KEYS).values(store_id=row.store_id, kind="email", value=normal, person_id=old))
    elif other != old:
        _merge(db, old, other)


def _correct(db: Connection, person_id: int, old: str, normal: str) -> None:
    """Correct the person's own address, and the fact it comes from. No platform knows them by the new address yet."""
    changed = db.execute(update(PEOPLE).where(PEOPLE.c.id == person_id, PEOPLE.c.email == old).values(email=normal))
    about = and_(FACTS.c.person_id == person_id, FACTS.c.kind == "customer", FACTS.c.subject == "")
    data = db.execute(select(FACTS.c.data).where(about)).scalar()
    if data and data.get("email", [0, None])[1] == old:
        db.execute(update(FACTS).where(about).values(data={**data, "email": [data["email"][0], normal]}))
    if changed.rowcount:
        _send_profile_again(db, person_id)
        by_address = select(PEOPLE.c.id).where(PEOPLE.c.id == person_id, PEOPLE.c.customer_id.is_(None))
        db.execute(delete(INTRODUCTIONS).where(INTRODUCTIONS.c.person_id.in_(by_address)))


def _merge(db: Connection, first: int, second: int) -> None:
    """Merge two people, unless they are two customers."""
    customers = dict(
        db.execute(select(PEOPLE.c.id, PEOPLE.c.customer_id).where(PEOPLE.c.id.in_((first, second)))).all()
    )
    if customers[first] is not None and customers[second] is not None:
        return
    is_first_customer = customers[second] is None and customers[first] is not None
    goes, stays = (second, first) if is_first_customer else (first, second)
    _merge_facts(db, goes, stays)
    known_roles = select(CASTS.c.event_id, CASTS.c.role).where(CASTS.c.person_id == stays)
    moved = update(CASTS).where(CASTS.c.person_id == goes, tuple_(CASTS.c.event_id, CASTS.c.role).not_in(known_roles))
    db.execute(moved.values(person_id=stays))
    for moving in (KEYS, DELIVERIES):
        db.execute(update(moving).where(moving.c.person_id == goes).values(person_id=stays))
    db.execute(update(PEOPLE).where(PEOPLE.c.id == goes).values(untold_since=None))
    _send_profile_again(db, stays)


def _merge_facts(db: Connection, goes: int, stays: int) -> None:
    """For each field the newer value wins, as everywhere."""
    for row in db.execute(select(FACTS).where(FACTS.c.person_id == goes)).all():
        same_fact = and_(FACTS.c.person_id == stays, FACTS.c.kind == row.kind, FACTS.c.subject == row.subject)
        known = db.execute(select(FACTS.c.data).where(same_fact)).scalar()
        if known is None:
            values = {"person_id": stays, "kind": row.kind, "subject": row.subject, "data": row.data}
            db.execute(insert(FACTS).values(values))
            continue
        newer = {name: pair for name, pair in row.data.items() if name not in known or pair[0] > known[name][0]}
        db.execute(update(FACTS).where(same_fact).values(data={**known, **newer}))


def _send_profile_again(db: Connection, person_id: int) -> None:
    since = func.coalesce(PEOPLE.c.untold_since, PEOPLE.c.known_at)
    db.execute(update(PEOPLE).where(PEOPLE.c.id == person_id).values(untold_since=since))


def _same(of: Any, row: Row[Any], *names: str) -> Any:
    return and_(*(of.c[name] == getattr(row, name) for name in names))
