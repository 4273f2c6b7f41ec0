"""Remembers the secrets of a rejected form, so that they need not be entered again and no page shows them.

They are in a hidden field, encrypted, and valid for an hour and only in the browser in which they were entered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from wtforms import Field, PasswordField

from receiver.pages.auth.keys import derive_keys
from receiver.pages.connect.form import ConnectForm

MAX_AGE_US = 3_600_000_000


def remember_secrets(form: ConnectForm, secret_keys: Sequence[str], browser: str, now: int) -> None:
    """Put the secrets that have no error into the hidden field."""
    typed = {field.name: field.data for field in _list_secret_fields(form) if field.data and not field.errors}
    content = {"browser": browser, "until": now + MAX_AGE_US, "typed": typed}
    form.kept.data = _build_cipher(secret_keys).encrypt(json.dumps(content).encode()).decode("ascii")
    form.remembered = frozenset(typed)


def restore_secrets(form: ConnectForm, secret_keys: Sequence[str], browser: str, now: int) -> None:
    """Fill the secrets that were left empty, if they were remembered for this browser."""
    try:
        content = json.loads(_build_cipher(secret_keys).decrypt((form.kept.data or "").encode()))
    except InvalidToken:
        return
    if content["browser"] != browser or content["until"] < now:
        return
    for field in _list_secret_fields(form):
        field.data = field.data or content["typed"].get(field.name)


def _list_secret_fields(form: ConnectForm) -> list[Field]:
    return [field for field in form if isinstance(field, PasswordField)]


def _build_cipher(secret_keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in derive_keys(secret_keys, "typed secrets")])
