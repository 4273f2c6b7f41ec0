"""Whether the secret key is the ledger's: with another one nothing saved can be read, and hooks are refused."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.operations.reencrypt import count_undecryptable
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.doctor.ledger import query_ledger

KEY_ADVICE = (
    "Set CRATEWIRE_SECRET_KEY to the key they were saved with, or put the file `secret_key` back into the data "
    "directory, and restart everything: Cratejoy's hooks are refused with 404 until then, and lost. If that key is "
    "gone, `cratewire connect` each store again."
)


def check_secret_key(settings: Settings) -> Iterator[Finding]:
    """Nothing if the database cannot be asked: that is a finding of its own."""
    found = query_ledger(settings, lambda db: count_undecryptable(db, settings.secret_keys))
    if found is None:
        return
    closed, saved = found
    if closed:
        yield Finding(
            "secret key", "wrong", f"opens {saved - closed} of {saved} credentials that are saved", KEY_ADVICE
        )
    else:
        yield Finding("secret key", "ok", "opens all that is saved" if saved else "nothing is saved yet")
