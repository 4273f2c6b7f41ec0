"""How one environment variable is declared, and the checks that its value must pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from environs import ValidationError, validate

MIN_SECRET_CHARACTERS = 16
MAX_SENDER_CHARACTERS = 500  # the standard library takes minutes to parse a sender of a megabyte

_METADATA_KEY = "variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable, with everything that `.env.example` and `docs/configuration.md` say about it.

    `default` is the value when the variable is unset; where it is None, `unset` says what applies instead, or the
    feature is off. `example` stands in `.env.example` where there is no default. `detail` is for `.env.example` only.
    """

    group: str
    name: str
    summary: str
    default: Any = None
    unset: str | None = None
    unit: str | None = None
    example: str = ""
    detail: str = ""
    check: Callable[[Any], object] | None = None


def declare(group: str, name: str, summary: str, *, secret: bool = False, **more: Any) -> Any:
    """A dataclass field that a variable fills; `more` is what Variable takes. A secret stays out of the repr."""
    return field(repr=not secret, metadata={_METADATA_KEY: Variable(group=group, name=name, summary=summary, **more)})


def list_variables(settings: type) -> dict[str, Variable]:
    """The variables of a dataclass, by the name of the field."""
    return {row.name: row.metadata[_METADATA_KEY] for row in fields(settings) if _METADATA_KEY in row.metadata}


def split_list(text: str) -> tuple[str, ...]:
    """The parts between commas, without those that are empty."""
    return tuple(part for part in map(str.strip, text.split(",")) if part)


def build_url_check(*schemes: str) -> Callable[[str], None]:
    """A check that a value is a URL with one of these schemes."""

    def check(value: str) -> None:
        if urlsplit(value).scheme not in schemes:
            raise ValidationError(f"Must be a URL that begins with {', '.join(f'{scheme}://' for scheme in schemes)}.")

    return check


def check_secrets(value: str) -> None:
    if any(len(key) < MIN_SECRET_CHARACTERS for key in split_list(value)):
        raise ValidationError(f"Every key needs at least {MIN_SECRET_CHARACTERS} characters.")


def check_sender(value: str) -> None:
    address = parseaddr(value)[1] if len(value) <= MAX_SENDER_CHARACTERS else ""
    if "@" not in address.strip("@"):
        raise ValidationError("Must be a mail address, such as Cratewire <cratewire@example.com>.")


def check_addresses(value: str) -> None:
    if not all("@" in address.strip("@") for address in split_list(value)):
        raise ValidationError("Must be mail addresses, with commas between them.")


check_port = validate.Range(1, 65535)
check_memory_size = validate.Regexp(r"\d+(kb|mb|gb)?\Z", error="Must be a number of bytes, or one with kb, mb or gb.")
