"""The kinds of settings: how each is read from JSON, written to it, described, shown in a form and read from one.

Every reader raises ValueError with a sentence that says what is wanted; it contains no value.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pipeline.fulfilment.settings import HOUR_S

SECOND_US = 1_000_000
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


class Kind(ABC):
    """One kind. JSON values are what is stored; texts are what a form has."""

    name: ClassVar[str]  # for programs
    widget = "text"  # what a page draws

    @property
    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Describe the JSON values, as JSON Schema has it; `read` may refuse more."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return the setting from a JSON value. Raises ValueError."""

    def write(self, setting: Any) -> Any:
        """Return the JSON value."""
        return setting

    def parse(self, text: str) -> Any:
        """Return the setting from a form's text. Raises ValueError."""
        return self.read(text.strip())

    def parse_typed(self, text: str) -> Any:
        """Return the setting from a text of the command line. Raises ValueError."""
        return self.parse(text)

    def show(self, setting: Any) -> str:
        """Return the form's text."""
        return str(self.write(setting))


class Switch(Kind):
    """Yes or no. A form leaves out the one that is off."""

    name = "switch"
    widget = "checkbox"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def read(self, value: Any) -> bool:
        if type(value) is not bool:
            raise ValueError("must be true or false")
        return value

    def parse(self, text: str) -> bool:
        return text.strip() not in {"", "off", "false", "no", "0"}

    def parse_typed(self, text: str) -> bool:
        if text.lower() not in _WORDS:
            raise ValueError("must be yes or no")
        return _WORDS[text.lower()]

    def show(self, setting: Any) -> str:
        return "on" if setting else ""


@dataclass(frozen=True)
class Number(Kind):
    """A whole number within bounds."""

    minimum: int
    maximum: int
    name = "number"
    widget = "number"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def read(self, value: Any) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise ValueError(f"must be a whole number from {self.minimum} to {self.maximum}")
        return value

    def parse(self, text: str) -> int:
        number = text.strip()
        return self.read(int(number) if re.fullmatch(r"-?[0-9]{1,9}", number) else None)


@dataclass(frozen=True)
class Hours(Kind):
    """A time span: seconds in JSON, hours in a form."""

    maximum_hours: int
    name = "seconds"
    widget = "number"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 0, "maximum": self.maximum_hours * HOUR_S}

    def read(self, value: Any) -> int:
        if type(value) is not int or not 0 <= value <= self.maximum_hours * HOUR_S:
            raise ValueError(f"must be a whole number of seconds from 0 to {self.maximum_hours * HOUR_S}")
        return value

    def parse(self, text: str) -> int:
        number = text.strip().replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,4})?", number) or float(number) > self.maximum_hours:
            raise ValueError(f"must be a number of hours from 0 to {self.maximum_hours}")
        return round(float(number) * HOUR_S)

    def show(self, setting: Any) -> str:
        return f"{setting / HOUR_S:.4f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Choice(Kind):
    """One of several words, each with its label."""

    choices: tuple[tuple[str, str], ...]
    name = "choice"
    widget = "select"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [word for word, _ in self.choices]}

    def read(self, value: Any) -> str:
        words = [word for word, _ in self.choices]
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)


class Day(Kind):
    """A day, or a moment of one, in UTC: µs in the settings, ISO 8601 in JSON and in a form."""

    name = "day"
    widget = "date"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def read(self, value: Any) -> int:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or not 2010 <= moment.year <= 2100:  # noqa: PLR2004  (Cratejoy began in 2013)
            raise ValueError("must be a day such as 2026-01-31")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND_US

    def write(self, setting: Any) -> str:
        moment = datetime.fromtimestamp(setting // SECOND_US, UTC)
        is_midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        return moment.strftime("%Y-%m-%d") if is_midnight else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class TimeOfDay(Kind):
    """A minute of the day, or none: 870 in the settings, "14:30" in JSON and in a form."""

    name = "time_of_day"
    widget = "time"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"]}

    def read(self, value: Any) -> int | None:
        if value is None or value == "":
            return None
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("must be a time of day such as 14:30, or empty")
        return int(match[1]) * 60 + int(match[2])

    def write(self, setting: Any) -> str | None:
        return None if setting is None else f"{setting // 60:02}:{setting % 60:02}"

    def show(self, setting: Any) -> str:
        return self.write(setting) or ""


class TimeZone(Kind):
    """The name of a time zone."""

    name = "time_zone"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def read(self, value: Any) -> str:
        try:
            return ZoneInfo(value).key
        except (KeyError, OSError, TypeError, ValueError, AttributeError):
            raise ValueError("must be the name of a time zone such as America/Chicago") from None
