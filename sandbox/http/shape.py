"""A shape: the calls that an API takes, read from a file of `shapes/`, and what each says about whom."""

import json
import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

KEY, ACCOUNT = "KEY", "ACCOUNT"  # placeholders in a shape


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call. Dotted paths lead to values of its body, `{name}` of its path is one of them.

    means: check, profile, event or forget. invalid: the status of a body that is not as the schema says.
    """

    means: str
    method: str
    path: str
    status: int = 200
    body: str = "{}"
    invalid: int = 422
    invalid_body: str = ""
    form: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    schema: dict[str, Any] = field(default_factory=dict)
    email: str = ""
    customer_id: str = ""
    attributes: str = ""
    event: str = ""
    properties: str = ""
    emails: str = ""
    customer_ids: str = ""
    mode: str = ""  # where "suppress" says that the person is never taken again

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parts of the path that have names; None if this is another call."""
        parts = re.split(r"\{(\w+)\}", self.path)
        pattern = "".join(f"(?P<{part}>[^/?]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class Shape:
    """All calls of an API. id: where a call has the id that it is taken once by; `header:NAME` or a dotted path."""

    calls: tuple[Call, ...]
    refused: int = 401
    id: str = ""
    document: str = ""  # how the API is described to its callers, if it describes itself

    @classmethod
    def load(cls, name: str) -> Self:
        """Load a shape by its name."""
        text = (files("sandbox.http") / "shapes" / f"{name}.toml").read_text(encoding="utf-8")
        loaded = tomllib.loads(text)
        return cls(tuple(Call(**call) for call in loaded.pop("calls")), **loaded)


def read_body(call: Call, raw: bytes) -> Any:
    """Read JSON, or a form in which a value may itself be an object. Raise ValueError."""
    if not call.form:
        return json.loads(raw) if raw else None
    pairs = parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True)
    return {name: json.loads(value) if value.startswith("{") else value for name, value in pairs}


def find_value(body: Any, path: str) -> Any:
    """Return the value at a dotted path, such as `inputs.0.id`; the whole body for ".", None if it is not there."""
    for part in filter(None, path.split(".")):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict):
            body = body.get(part)
        else:
            return None
    return body if path else None
