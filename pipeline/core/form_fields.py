"""The fields that a connect form shows, declared by each platform and warehouse itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a merchant fills in to connect a platform or a warehouse."""

    key: str
    label: str
    required: bool = True
    secret: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    is_found: bool = False  # the check finds it, so that a form need not ask for it
    names_account: bool = True  # another value is another account or place; else it only says how that one is used
    sets_host: bool = False  # decides which address this machine connects to: not for strangers to fill in
    names_host: bool = False  # decides where the secrets go: these are typed anew when it changes
    is_document: bool = False  # a text of many lines: a file on the command line
