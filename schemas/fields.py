"""Lenient fields for single values: each accepts every spelling that was seen or documented, and returns one.

In every field an empty text is None, as null is: the store uses both for the same (seen in captured payloads).
Messages never contain the value.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from math import isfinite
from typing import Any, ClassVar

from marshmallow import ValidationError
from marshmallow.fields import Field

from schemas.email import normalize_email
from schemas.safe_values import json_safe, normalize_text
from schemas.times import iso_utc

MAX_INTEGER = 2**63 - 1  # what a BIGINT holds; ids passed 2**32 long ago
_MAX_EXACT_FLOAT = 2**53  # beyond this a float may not be the number that was written
_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL_TEXT = re.compile(r"([+-]?)([0-9]{0,16})\.([0-9]{1,2})")
_FLOAT_NOISE = 1e-9  # how far float arithmetic may move an amount from a whole number of cents
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# British in the API, American in some clients; "pastdue" in the prose of Cratejoy's subscription page.
_SPELLINGS = {"canceled": "cancelled", "pastdue": "past_due"}


class LenientField(Field[Any]):
    """A marshmallow field that may be null and depends only on its own value."""

    error_message = "is not what it should be"
    identifies_person: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(allow_none=True)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002  (marshmallow's signature)
        return self.read(value)

    def build_error(self) -> ValidationError:
        return ValidationError(self.error_message)

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return the value, which is not null, in its one spelling; raises ValidationError if it cannot be read."""


class Text(LenientField):
    """Text, trimmed. A number becomes text: a ZIP code or a phone number may be sent as one."""

    error_message = "is not text"

    def read(self, value: Any) -> str | None:
        if type(value) is str:
            return normalize_text(value)
        if type(value) is int or (type(value) is float and isfinite(value)):
            return str(value)
        raise self.build_error()


class Email(Text):
    """A normalised e-mail address: the same one is spelled differently in different places (captured payloads)."""

    identifies_person = True

    def read(self, value: Any) -> str | None:
        text = value if type(value) is str else super().read(value)
        return normalize_email(text) if text else None


class Integer(LenientField):
    """A whole number of at most 64 bits, from a number or its digits."""

    minimum = -MAX_INTEGER - 1
    error_message = "is not a whole number"

    def read(self, value: Any) -> int | None:
        number = value if type(value) is int else self._parse_other(value)
        if number is not None and not self.minimum <= number <= MAX_INTEGER:
            raise ValidationError("is out of range")
        return number

    def _parse_other(self, value: object) -> int | None:
        if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_FLOAT:
            return int(value)
        if isinstance(value, str):
            text = normalize_text(value)
            if text is None:
                return None
            if _INTEGER_TEXT.fullmatch(text):
                return int(text)
        raise self.build_error()


class Id(Integer):
    """The id of a model of the store."""

    minimum = 0
    error_message = "is not an id"


class PersonId(Id):
    """The id of a customer."""

    identifies_person = True


class Money(Integer):
    """An amount in the currency's smallest unit (Cratejoy docs: 3495 is 34.95).

    An amount with a fraction is in whole units: a client of the live API types some prices as floats. A number without
    a fraction is in minor units even as a float, since 35.0 cannot be distinguished from 35.
    """

    error_message = "is not an amount (3495 or 34.95)"

    def _parse_other(self, value: object) -> int | None:
        if isinstance(value, float) and isfinite(value) and not value.is_integer():
            cents = value * 100
            if abs(cents - round(cents)) < _FLOAT_NOISE * max(1.0, abs(cents)):
                return round(cents)
        if isinstance(value, str) and (match := _DECIMAL_TEXT.fullmatch(normalize_text(value) or "")):
            sign, units, cents_text = match.groups()
            return int(f"{sign}{units or 0}{cents_text:0<2}")
        return super()._parse_other(value)


class Number(LenientField):
    """A number that need not be whole, such as a weight in pounds."""

    error_message = "is not a number"

    def read(self, value: Any) -> float | None:
        text = normalize_text(value) if isinstance(value, str) else value
        if text is None:
            return None
        try:
            number = float("nan" if isinstance(text, bool) else text)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.build_error() from error
        if not isfinite(number):
            raise self.build_error()
        return number


class Flag(LenientField):
    """True or false, also as a word or a number: Cratejoy's own scripts send "True" and "False"."""

    error_message = "is not true or false"

    def read(self, value: Any) -> bool | None:
        if type(value) is bool:
            return value
        text = normalize_text(value) if isinstance(value, str) else value
        if text is None:
            return None
        if isinstance(text, float) and text.is_integer():
            text = int(text)
        flag = _FLAGS.get(str(text).lower()) if isinstance(text, str | int) else None
        if flag is None:
            raise self.build_error()
        return flag


class Time(LenientField):
    """A time, as ISO-8601 text in UTC."""

    error_message = "is not a time between 1970 and 2999"

    def read(self, value: Any) -> str | None:
        time = normalize_text(value) if isinstance(value, str) else value
        if time is None:
            return None
        if isinstance(time, bool) or not isinstance(time, str | int | float):
            raise self.build_error()
        try:
            return iso_utc(time)
        except ValueError as error:
            raise self.build_error() from error


class StatusWord(LenientField):
    """A status: one lower-case word. `numbers` maps the store's numbers to words; an unknown number stays as text."""

    error_message = "is not a word or a number"

    def __init__(self, numbers: Mapping[int, str] | None = None) -> None:
        super().__init__()
        self.words = _SPELLINGS | {str(number): word for number, word in (numbers or {}).items()}

    def read(self, value: Any) -> str | None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.build_error()
        text = normalize_text(str(value))
        if text is None:
            return None
        word = "_".join(text.lower().split())
        return self.words.get(word, word)


class AnyValue(LenientField):
    """Any JSON value, made safe: the field's type is undocumented, or several were seen."""

    def read(self, value: Any) -> Any:
        return json_safe(value)
