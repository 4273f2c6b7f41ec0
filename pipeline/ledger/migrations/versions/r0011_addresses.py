"""Addresses in their one form: what was kept under another form leads to the same person from now on.

Old keys stay, so that an address as it was kept still finds its person. Where two people become one, all that is known
and all that was told of the one without a customer id moves to the other; its own row stays, and nothing leads to it.
Profiles whose address has changed are told again by the next daily pass, or by the person's next event.
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
_ODD = {
    # Letters beyond ASCII, and control characters. What has neither is in its normal form already.
    "sqlite": "length(CAST({0} AS BLOB)) <> length({0}) OR {0} GLOB '*[' || char(1) || '-' || char(31, 127) || ']*'",
    "postgresql": "octet_length({0}) <> char_length({0}) OR {0} ~ '[[:cntrl:]]'",
}


def upgrade() -> None:
    db = op.get_bind()
    for row in _odd(db, select(KEYS).where(KEYS.c.kind == "email"), "value"):
        normal = normalize_email(row.value)
        if normal is not None and normal != row.value and is_email(normal):
            _lead(db, row, normal)
    for row in _odd(db, select(GIFTS).where(GIFTS.c.email.is_not(None)), "email"):
        gift = _same(GIFTS, row, "store_id", "kind", "subject_id")
        db.execute(update(GIFTS).where(gift).values(email=normalize_email(row.email)))


def _odd(db: Connection, query: Any, name: str) -> Iterator[Row[Any]]:
    """All of them at once: they are few, and the table changes meanwhile."""
    return iter(db.execute(query.where(text(f"({_ODD[db.dialect.name].format(name)})"))).all())


def _lead(db: Connection, row: Row[Any], normal: str) -> None:
    """Let the normal form lead to the person whom the old form leads to."""
    key = and_(KEYS.c.store_id == row.store_id, KEYS.c.kind == "email", KEYS.c.value == normal)
    other = db.execute(select(KEYS.c.person_id).where(key)).scalar()
    old = db.execute(select(KEYS.c.person_id).where(_same(KEYS, row, "store_id", "kind", "value"))).scalar_one()
    _correct(db, old, row.value, normal)
    if other is None:
        db.execute(insert(KEYS).values(store_id=row.store_id, kind="email", value=normal, person_id=old))
    elif other != old:
        _join(db, old, other)


def _correct(db: Connection, person_id: int, old: str, normal: str) -> None:
    """The person's own address, and the fact it comes from. No platform knows them by it yet."""
    changed = db.execute(update(PEOPLE).where(PEOPLE.c.id == person_id, PEOPLE.c.email == old).values(email=normal))
    about = and_(FACTS.c.person_id == person_id, FACTS.c.kind == "customer", FACTS.c.subject == "")
    data = db.execute(select(FACTS.c.data).where(about)).scalar()
    if data and data.get("email", [0, None])[1] == old:
        db.execute(update(FACTS).where(about).values(data={**data, "email": [data["email"][0], normal]}))
    if changed.rowcount:
        _tell_again(db, person_id)
        by_address = select(PEOPLE.c.id).where(PEOPLE.c.id == person_id, PEOPLE.c.customer_id.is_(None))
        db.execute(delete(INTRODUCTIONS).where(INTRODUCTIONS.c.person_id.in_(by_address)))


def _join(db: Connection, one: int, other: int) -> None:
    """Make one of two people, unless they are two customers: those stay two."""
    customers = dict(db.execute(select(PEOPLE.c.id, PEOPLE.c.customer_id).where(PEOPLE.c.id.in_((one, other)))).all())
    if customers[one] is not None and customers[other] is not None:
        return
    goes, stays = (other, one) if customers[other] is None and customers[one] is not None else (one, other)
    _join_facts(db, goes, stays)
    heard = select(CASTS.c.event_id, CASTS.c.role).where(CASTS.c.person_id == stays)
    moved = update(CASTS).where(CASTS.c.person_id == goes, tuple_(CASTS.c.event_id, CASTS.c.role).not_in(heard))
    db.execute(moved.values(person_id=stays))
    for moving in (KEYS, DELIVERIES):
        db.execute(update(moving).where(moving.c.person_id == goes).values(person_id=stays))
    db.execute(update(PEOPLE).where(PEOPLE.c.id == goes).values(untold_since=None))
    _tell_again(db, stays)


def _join_facts(db: Connection, goes: int, stays: int) -> None:
    """The newer of two values counts, field by field, as everywhere."""
    for row in db.execute(select(FACTS).where(FACTS.c.person_id == goes)).all():
        mine = and_(FACTS.c.person_id == stays, FACTS.c.kind == row.kind, FACTS.c.subject == row.subject)
        known = db.execute(select(FACTS.c.data).where(mine)).scalar()
        if known is None:
            values = {"person_id": stays, "kind": row.kind, "subject": row.subject, "data": row.data}
            db.execute(insert(FACTS).values(values))
            continue
        newer = {name: pair for name, pair in row.data.items() if name not in known or pair[0] > known[name][0]}
        db.execute(update(FACTS).where(mine).values(data={**known, **newer}))


def _tell_again(db: Connection, person_id: int) -> None:
    since = func.coalesce(PEOPLE.c.untold_since, PEOPLE.c.known_at)
    db.execute(update(PEOPLE).where(PEOPLE.c.id == person_id).values(untold_since=since))


def _same(of: Any, row: Row[Any], *names: str) -> Any:
    return and_(*(of.c[name] == getattr(row, name) for name in names))
