"""GET /docs: the OpenAPI document as a page. We write it ourselves, so that no viewer's script has to run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, Response, render_template, request
from flask_smorest import Api
from markupsafe import Markup, escape

from pipeline.ledger.api_tokens import PREFIX, SCOPE_TEXTS
from receiver.pages.headers import HEADERS

# They show nothing of any account: who writes a program reads them first.
PUBLIC_ENDPOINTS = frozenset({"api-docs.openapi_json", "api_docs"})
_FILES = "application/octet-stream"
_REFERENCE = "#/components/schemas/"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, or a member of a body."""

    name: str
    type: str
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as the page shows it. `example` and `body_example`: JSON."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: list[Row]
    body: list[Row]
    answer: list[Row]
    curl: str
    example: str | None


def add_page(app: Flask, api: Api, prefix: str) -> None:
    """Add the page."""

    def show() -> Response:
        document = api.spec.to_dict()
        page = render_template(
            "api_docs.html",
            info=document["info"],
            groups=group_operations(document),
            scopes=SCOPE_TEXTS,
            prefix=PREFIX,
            server=document["servers"][0]["url"],
            root=request.script_root,
        )
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = "no-cache"
        return response

    app.add_template_filter(mark_code, "code_marks")
    app.add_url_rule(f"{prefix}/docs", "api_docs", show, methods=["GET"])


def mark_code(text: str) -> Markup:
    """Show what stands between backquotes as code."""
    parts = text.split("`")
    marked = [
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def group_operations(document: Document) -> list[tuple[str, str, list[Operation]]]:
    """Group what the document describes: the name of each resource, what it is, and its operations."""
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "responses" in operation:
                found[operation["tags"][0]].append(_build_operation(document, method.upper(), path, operation))
    return [(tag["name"], tag.get("description", ""), found[tag["name"]]) for tag in document["tags"]]


def _build_operation(document: Document, method: str, path: str, operation: Document) -> Operation:
    shared = document["paths"][path].get("parameters", [])
    bodies = operation.get("requestBody", {}).get("content", {})
    body = bodies.get("application/json", {})
    answer: Document = next(iter(operation["responses"][_find_success(operation)].get("content", {}).values()), {})
    example = answer.get("example")
    return Operation(
        anchor=f"{method.lower()}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method,
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        scope=operation["x-scope"],
        parameters=[_build_parameter(document, row) for row in [*shared, *operation.get("parameters", [])]],
        body=list(_list_members(document, body.get("schema", {}))),
        answer=list(_list_members(document, answer.get("schema", {}))),
        curl=_build_curl(document["servers"][0]["url"], method, path, body.get("example"), is_file=_FILES in bodies),
        example=None if example is None else json.dumps(example, ensure_ascii=False, indent=2),
    )


def _find_success(operation: Document) -> str:
    found: str = next(status for status in operation["responses"] if status.startswith("2"))
    return found


def _build_parameter(document: Document, row: Document) -> Row:
    kind = _describe_type(document, row.get("schema", {}))
    text = row.get("description") or row.get("schema", {}).get("description", "")
    return Row(row["name"], kind, text, bool(row.get("required")))


def _list_members(document: Document, schema: Document) -> Iterator[Row]:
    found = _resolve(document, schema)
    required = found.get("required", [])
    for name, member in found.get("properties", {}).items():
        text = member.get("description") or ""
        yield Row(name, _describe_type(document, member), text, name in required)
        if name == "items":  # of a page: what each item has
            for row in _list_members(document, member["items"]):
                yield replace(row, name=f"items[].{row.name}")


def _describe_type(document: Document, schema: Document) -> str:
    """Describe a type in words: `list of Event`, `string (date-time) or null`, `one of waiting, refused`."""
    if "$ref" in schema:
        return _get_name(schema["$ref"])
    for combined in ("allOf", "anyOf", "oneOf"):
        if combined in schema:
            return " or ".join(_describe_type(document, part) for part in schema[combined])
    values = [str(value) for value in schema.get("enum", []) if value is not None]
    if values:
        return f"one of {', '.join(values)}"
    types = schema.get("type", "any")
    names = [types] if isinstance(types, str) else list(types)
    if "array" in names:
        names[names.index("array")] = f"list of {_describe_type(document, schema.get('items', {}))}"
    if "format" in schema:
        names[0] = f"{names[0]} ({schema['format']})"
    return " or ".join(names)


def _get_name(reference: str) -> str:
    return reference.removeprefix(_REFERENCE)


def _resolve(document: Document, schema: Document) -> Document:
    if "$ref" not in schema:
        return schema
    found: Document = document["components"]["schemas"][_get_name(schema["$ref"])]
    return found


def _build_curl(server: str, method: str, path: str, body: Any, *, is_file: bool) -> str:
    """Build a command that makes this call. `is_file`: the body is a file."""
    lines = [f'curl -H "Authorization: Bearer $TOKEN" {server}{path}']
    if method != "GET":
        lines.insert(0, f"curl -X {method}")
        lines[1] = lines[1].removeprefix("curl ")
    if body is not None:
        sent = shlex.quote(json.dumps(body, ensure_ascii=False))
        lines.append(f"-H 'Content-Type: application/json' --data {sent}")
    if is_file:
        lines.append(f"-H 'Content-Type: {_FILES}' --data-binary @FILE")
    return " \\\n  ".join(lines)
