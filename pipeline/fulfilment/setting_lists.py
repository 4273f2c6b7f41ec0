"""The kinds of settings that have several entries: lists and tables, with one entry on each line of a form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline.fulfilment.setting_kinds import Kind
from pipeline.fulfilment.settings import ShipCode, Wave

MAX_ENTRIES = 10_000
MAX_TEXT_CHARACTERS = 200
MAX_WAVES = 50
_SLASH = " / "
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SHIP_CODE = {"type": "object", "properties": {"code": _TEXT, "carrier": _TEXT}, "required": ["code"]}
_WAVE = {
    "type": "object",
    "properties": {"name": _TEXT, "gift": {"type": ["boolean", "null"]}, "countries": _TEXTS, "variants": _TEXTS},
    "required": ["name"],
}


class Several(Kind):
    """A setting with several entries."""

    widget = "textarea"

    def parse_typed(self, text: str) -> Any:
        if not text.startswith(("[", "{")):
            return self.parse(text.replace(",", "\n"))
        try:
            return self.read(json.loads(text))
        except json.JSONDecodeError:
            raise ValueError("must be JSON if it begins with a bracket or a brace") from None


class Texts(Several):
    """Several texts: a list in JSON, one on each line in a form."""

    name = "texts"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def read(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) > MAX_ENTRIES:
            raise ValueError(f"must be a list of at most {MAX_ENTRIES} texts")
        return tuple(dict.fromkeys(read_text(item, f"entry {number}") for number, item in enumerate(value, start=1)))

    def write(self, setting: Any) -> list[str]:
        return list(setting)

    def parse(self, text: str) -> tuple[str, ...]:
        return self.read(list(_list_lines(text)))

    def show(self, setting: Any) -> str:
        return "\n".join(setting)


class Aliases(Several):
    """SKUs and what the warehouse calls them: an object in JSON, `OURS = THEIRS` on each line in a form."""

    name = "aliases"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "string"}}

    def read(self, value: Any) -> dict[str, str]:
        pairs = _read_object(value).items()
        return {read_text(key, "a key", "="): read_text(item, "a value") for key, item in pairs}

    def parse(self, text: str) -> dict[str, str]:
        return self.read(_read_pairs(text))

    def show(self, setting: Any) -> str:
        return "\n".join(f"{ours} = {theirs}" for ours, theirs in setting.items())


class ShipCodes(Several):
    """Ship codes and those of the warehouse: `SUBSCRIPTION = USPS / Priority`, or with a code alone, in a form."""

    name = "ship_codes"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": _SHIP_CODE}

    def read(self, value: Any) -> dict[str, ShipCode]:
        pairs = _read_object(value).items()
        return {read_text(key, "a key", "=").upper(): self._read_code(item) for key, item in pairs}

    def _read_code(self, item: Any) -> ShipCode:
        if isinstance(item, str):
            item = {"code": item}
        if not isinstance(item, Mapping) or set(item) - {"code", "carrier"}:
            raise ValueError("must have a code, or an object with code and carrier, for each ship code")
        carrier = item.get("carrier") or ""
        code = read_text(item.get("code"), "code", _SLASH)
        return ShipCode(code, read_text(carrier, "carrier", _SLASH) if carrier else "")

    def write(self, setting: Any) -> dict[str, dict[str, str]]:
        return {key: {"code": code.code, "carrier": code.carrier} for key, code in setting.items()}

    def parse(self, text: str) -> dict[str, ShipCode]:
        codes: dict[str, dict[str, str]] = {}
        for key, target in _read_pairs(text).items():
            carrier, slash, code = target.partition(_SLASH)
            codes[key] = {"code": code, "carrier": carrier} if slash else {"code": target}
        return self.read(codes)

    def show(self, setting: Any) -> str:
        return "\n".join(
            f"{key} = {code.carrier} / {code.code}" if code.carrier else f"{key} = {code.code}"
            for key, code in setting.items()
        )


class Waves(Several):
    """Parts of a batch that are packed apart: `NAME = gift; Size: Large; to US CA` on each line in a form."""

    name = "waves"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": _WAVE}

    def read(self, value: Any) -> tuple[Wave, ...]:
        if not isinstance(value, list | tuple) or len(value) > MAX_WAVES:
            raise ValueError(f"must be a list of at most {MAX_WAVES} waves")
        waves = tuple(self._read_wave(item) for item in value)
        if len({wave.name for wave in waves}) < len(waves):
            raise ValueError("must have waves with different names")
        return waves

    def _read_wave(self, item: Any) -> Wave:
        if not isinstance(item, Mapping) or set(item) - {"name", "gift", "countries", "variants"}:
            raise ValueError("must have, for each wave, a name, and gift, countries and variants where they matter")
        gift = item.get("gift")
        if not any(gift is word for word in (None, True, False)):
            raise ValueError("must say true, false or null for gift")
        countries = tuple(code.upper() for code in Texts().read(item.get("countries") or []))
        if not all(map(_COUNTRY.fullmatch, countries)):
            raise ValueError("must name countries by two letters, such as US")
        variants = tuple(read_text(one, "a variant", ";") for one in Texts().read(item.get("variants") or []))
        if gift is None and not countries and not variants:
            raise ValueError("must say for each wave what belongs to it: gifts, countries or variants")
        return Wave(read_text(item.get("name"), "name", "="), gift, countries, variants)

    def write(self, setting: Any) -> list[dict[str, Any]]:
        return [
            {"name": one.name, "gift": one.gift, "countries": list(one.countries), "variants": list(one.variants)}
            for one in setting
        ]

    def parse(self, text: str) -> tuple[Wave, ...]:
        return self.read([_read_wave_line(name, rest) for name, rest in _read_pairs(text).items()])

    def show(self, setting: Any) -> str:
        return "\n".join(f"{one.name} = {'; '.join(_show_wave(one))}" for one in setting)


def _show_wave(wave: Wave) -> list[str]:
    gift = {None: [], True: ["gift"], False: ["no gift"]}[wave.gift]
    return [*gift, *([" ".join(("to", *wave.countries))] if wave.countries else []), *wave.variants]


def _read_wave_line(name: str, text: str) -> dict[str, Any]:
    wave: dict[str, Any] = {"name": name, "variants": []}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        if part.lower() in {"gift", "no gift"}:
            wave["gift"] = part.lower() == "gift"
        elif part.startswith("to "):
            wave["countries"] = part.split()[1:]
        else:
            wave["variants"].append(part)
    return wave


def read_text(value: Any, where: str, without: str = "") -> str:
    """Return a trimmed text that is not empty. `without`: what a form parts texts by. Raises ValueError."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MAX_TEXT_CHARACTERS or not text.isprintable():
        raise ValueError(f"must have a text of 1 to {MAX_TEXT_CHARACTERS} characters as {where}")
    if without and without in text:
        raise ValueError(f"must have no {without.strip()} in {where}")
    return text


def _read_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or len(value) > MAX_ENTRIES:
        raise ValueError(f"must be an object with at most {MAX_ENTRIES} entries")
    return dict(value)


def _list_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(_list_lines(text), start=1):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not (key and equals and value):
            raise ValueError(f"must have a name, = and a value on line {number}")
        if key in pairs:
            raise ValueError(f"must have each name once: line {number} repeats one")
        pairs[key] = value
    return pairs
