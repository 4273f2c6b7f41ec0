"""Sends a connect form, and reads its errors."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from pipeline.ledger.engine import reading
from pipeline.ledger.schema.accounts import Mail, Membership, User
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.core import Account, Store, StoreConnection
from pipeline.ledger.schema.store_apis import StoreAPI

EMAIL = "bea@example.com"


def send(visitor, form):
    visitor.go("/connect")
    return visitor.send(**form)


def errors_on(page):
    """Field -> its errors."""
    found = re.findall(r'<ul class="errors" id="([^"]+)-errors"[^>]*>(.*?)</ul>', page, re.DOTALL)
    return {field: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for field, text in found}


def counts(pages):
    with reading(pages.site.engine) as conn:
        tables = (Account, Store, StoreConnection, StoreAPI, Backfill, User, Membership, Mail)
        return {table.__tablename__: conn.execute(select(func.count()).select_from(table)).scalar() for table in tables}


NO_ROWS = dict.fromkeys(
    ("accounts", "stores", "connections", "store_apis", "backfills", "users", "memberships", "mails"), 0
)
