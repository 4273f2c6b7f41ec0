"""The document that describes an HTTP API, in TOML or JSON: what is requested for a profile, an event, to forget a
person, and to try the keys. docs/http.md explains it.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args

from pipeline.core.errors import Misconfigured
from pipeline.destinations.http.answers import Answers, read_answers
from pipeline.destinations.http.document_parts import Part
from pipeline.destinations.http.templates import Compiler, Leaf, blank_address
from pipeline.infra.http.base_url import is_message_url
from pipeline.infra.http.client import Method

MAX_DOCUMENT_BYTES = 64_000
MAX_CALLS_PER_SECOND = 100
USUAL_CALLS_PER_SECOND = 10
UNABLE = "unable"  # of `forget`: this API has no way to forget a person
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "check": (),
    "profile": ("id", "uuid", "at", "time", "account", "person", "attributes"),
    "event": ("id", "uuid", "at", "time", "account", "person", "event", "properties"),
    "forget": ("id", "uuid", "at", "time", "account", "mode", "email", "customer_id", "emails", "customer_ids"),
}
Each = Literal["", "email", "customer_id"]
_MAX_FAULTS = 10
_METHODS: tuple[str, ...] = get_args(Method)
_KEYS = ("title", "calls_per_second", "basic_auth", "headers", "answers", *VARIABLES)
_REQUEST_KEYS = ("method", "url", "headers", "body", "encoding", "when", "idempotency_header", "answers")
_FIELD = re.compile(r"\{\{\s*(\w*)\s*\}\}")
_BEFORE_PATH = re.compile(r"https?://[^/?#]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PLAIN = frozenset({"account"})  # fields that are no secret
_KEPT_SECRET = re.compile(r"auth|token|secret|cookie|(api|access)[-_]?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the document. `each`: made once for every such identifier of a person."""

    kind: str
    method: Method
    url: tuple[str | Leaf, ...] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    has_body: bool
    is_form: bool
    when: Leaf | None
    idempotency_header: str
    answers: Answers
    each: Each = ""
    place: str = field(default="", repr=False)  # scheme and host


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is in order. A request that it lacks is not made."""

    title: str
    calls_per_second: int
    check: Request
    profile: Request | None
    event: Request | None
    forget: Request | None

    def list_places(self) -> list[str]:
        """Return scheme and host of every request, each once."""
        requests = (self.check, self.profile, self.event, self.forget)
        return list(dict.fromkeys(request.place for request in requests if request is not None))


def parse_document(text: str, fields: Mapping[str, str]) -> Document:
    """Read a document. `fields`: what stands for `{{account}}`, `{{hook_url}}` and the keys.

    Raise Misconfigured, naming every fault by its place.
    """
    try:
        return _parse(text, tuple(sorted(fields.items())))
    except RecursionError:
        raise Misconfigured("config: nested too deeply") from None


@lru_cache(maxsize=64)
def _parse(text: str, fields: tuple[tuple[str, str], ...]) -> Document:
    faults: list[str] = []
    reader = _Reader(Part("", _load(text), faults), dict(fields))
    document = reader.read()
    if reader.missing:
        raise Misconfigured(f"{reader.missing[0]} is missing: the document uses it")
    if faults or document is None:
        more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
        raise Misconfigured(f"config: {'; '.join(faults[:_MAX_FAULTS])}{more}")
    return document


def _load(text: str) -> dict[str, Any]:
    if len(text.encode("utf-8", "replace")) > MAX_DOCUMENT_BYTES:
        raise Misconfigured(f"config: a document has at most {MAX_DOCUMENT_BYTES} bytes")
    try:
        loaded = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both of these say where
        raise Misconfigured(f"config: neither TOML nor JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise Misconfigured("config: must be an object")
    return loaded


class _Reader:
    """Reads one document; what is wrong is added to the faults of `part`."""

    def __init__(self, part: Part, fields: Mapping[str, str]) -> None:
        self._part = part
        self._fields = fields
        self._compiler = Compiler(part.faults)
        self.missing: list[str] = []  # fields that the document uses, and that are empty

    def read(self) -> Document | None:
        part = self._part
        part.refuse_others(_KEYS)
        shared = self._read_headers(part, self._read_basic_auth(part))
        check = self._read_request("check", shared)
        profile, event = (self._read_request(kind, shared) for kind in ("profile", "event"))
        if part.value.get("forget") == UNABLE:
            forget = None
        else:
            forget = self._read_request("forget", shared)
            if "forget" not in part.value:
                part.fault("forget", f'say how a person is forgotten, or that this API cannot: forget = "{UNABLE}"')
        if profile is None and event is None and not part.faults:
            part.fault("", "neither a request for a profile nor one for an event")
        if check is None:
            if "check" not in part.value:
                part.fault("check", "a request that changes nothing and needs the keys is missing")
            return None
        rate = part.read_int("calls_per_second", USUAL_CALLS_PER_SECOND, MAX_CALLS_PER_SECOND)
        return Document(part.read_text("title"), rate, check, profile, event, forget)

    def _read_request(self, kind: str, shared: Mapping[str, str]) -> Request | None:
        if kind not in self._part.value:
            return None
        part = self._part.enter(kind)
        part.refuse_others((*_REQUEST_KEYS, "each") if kind == "forget" else _REQUEST_KEYS)
        variables = VARIABLES[kind]
        method = part.read_choice("method", _METHODS, "GET" if kind == "check" else "POST")
        is_form = part.read_choice("encoding", ("json", "form"), "json") == "form"
        url = self._read_url(part)
        body = part.value.get("body")
        if is_form and not isinstance(body, dict):
            part.fault("body", "of a form must be an object")
        compiled = self._compiler.compile_body(
            part.name("body"), self._fill_form_keys(part, body) if is_form else body, variables
        )
        header = part.read_text("idempotency_header")
        if header and not _HEADER_NAME.fullmatch(header):
            part.fault("idempotency_header", "is not the name of a header")
        when = part.read_text("when")
        return Request(
            kind=kind,
            method=method,  # type: ignore[arg-type] # one of its choices
            url=self._compiler.compile_address(part.name("url"), url, variables),
            headers=self._read_headers(part, shared),
            body=compiled,
            has_body="body" in part.value,
            is_form=is_form,
            when=self._compiler.compile_leaf(part.name("when"), when, variables) if when else None,
            idempotency_header=header,
            answers=read_answers(part.enter("answers"), self._part.enter("answers"), self._compiler),
            each=part.read_choice("each", get_args(Each), ""),  # type: ignore[arg-type]
            place=(_BEFORE_PATH.match(url) or [""])[0],
        )

    def _read_url(self, part: Part) -> str:
        url = self._fill_fields(part, "url", part.read_text("url"), only=_PLAIN | {"hook_url"})
        before_path = _BEFORE_PATH.match(url)
        if not url:
            part.fault("url", "is missing")
        elif before_path is None or "$" in before_path[0] or not is_message_url(blank_address(url)):
            part.fault(
                "url", "must be an https address without a user, a password or a fragment, and without ${…} in its host"
            )
        return url

    def _read_headers(self, part: Part, shared: Mapping[str, str]) -> dict[str, str]:
        found = dict(shared)
        headers = part.enter("headers")
        for name in headers.value:
            text = headers.read_text(name)
            if not _HEADER_NAME.fullmatch(name):
                headers.fault(name, "is not the name of a header")
            elif _KEPT_SECRET.search(name) and text and not _FIELD.search(text):
                headers.fault(
                    name, "a key is not part of the document: write {{api_key}}, and give it as a field of its own"
                )
            filled = self._fill_fields(headers, name, text)
            if not filled.isprintable() or not filled.isascii():
                headers.fault(name, "has characters that a header cannot have")
            found[name] = filled
        return found

    def _read_basic_auth(self, part: Part) -> dict[str, str]:
        text = part.read_text("basic_auth")
        if not text:
            return {}
        if not _FIELD.search(text) or ":" not in text:
            part.fault("basic_auth", "must be a user and a password with a colon between them, such as {{api_key}}:")
        filled = self._fill_fields(part, "basic_auth", text)
        return {"Authorization": "Basic " + base64.b64encode(filled.encode()).decode()}

    def _fill_form_keys(self, part: Part, body: Any) -> Any:
        """A form may hold a key as the whole of a value: some APIs take it nowhere else."""
        if not isinstance(body, dict):
            return body
        filled = {}
        for name, value in body.items():
            is_key = isinstance(value, str) and _FIELD.fullmatch(value)
            text = self._fill_fields(part, f"body.{name}", value) if is_key else ""
            filled[name] = json.dumps(text) if is_key else value
        return filled

    def _fill_fields(self, part: Part, key: str, text: str, only: frozenset[str] | None = None) -> str:
        """Put fields in place of `{{…}}`. `only`: the fields that may stand there."""

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            allowed = sorted(self._fields.keys() if only is None else only)
            if name not in allowed:
                part.fault(key, f"{{{{{name}}}}} cannot stand here; there are: {', '.join(allowed)}")
                return ""
            if not self._fields.get(name):
                self.missing.append(name)
            return self._fields.get(name, "")

        return _FIELD.sub(fill, text)
