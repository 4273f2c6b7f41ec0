"""Keeps the secrets of a form that was refused, so that nobody types them twice and no page shows them.

They travel in a hidden field, encrypted: good for the browser they were typed in, for an hour.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from wtforms import Field, PasswordField

from receiver.pages.connect.form import ConnectForm
from receiver.pages.keys import derived

GOOD_FOR_US = 3_600_000_000


def keep(form: ConnectForm, secret_keys: Sequence[str], browser: str, now: int) -> None:
    """Put the secrets that were not refused into the hidden field."""
    typed = {field.name: field.data for field in _secrets_of(form) if field.data and not field.errors}
    content = {"browser": browser, "until": now + GOOD_FOR_US, "typed": typed}
    form.kept.data = _box(secret_keys).encrypt(json.dumps(content).encode()).decode("ascii")
    form.remembered = frozenset(typed)


def restore(form: ConnectForm, secret_keys: Sequence[str], browser: str, now: int) -> None:
    """Fill in the secrets that were left empty, if they were kept for this browser."""
    try:
        content = json.loads(_box(secret_keys).decrypt((form.kept.data or "").encode()))
    except InvalidToken:
        return
    if content["browser"] != browser or content["until"] < now:
        return
    for field in _secrets_of(form):
        field.data = field.data or content["typed"].get(field.name)


def _secrets_of(form: ConnectForm) -> list[Field]:
    return [field for field in form if isinstance(field, PasswordField)]


def _box(secret_keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in derived(secret_keys, "typed secrets")])
