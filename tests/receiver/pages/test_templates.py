"""The templates, as they are written: what they open they close."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from flask import Flask

from receiver.pages.filters import add_filters

FOLDER = Path(str(files("receiver.pages") / "templates"))
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)(?=[\s>{/])")


def list_unbalanced_tags(text: str) -> dict[str, tuple[int, int]]:
    """Element -> (how often it is opened, how often it is closed), where they differ."""
    tags = TAG.findall(COMMENT.sub("", text))
    names = {name for _, name in tags} - VOID
    counts = {name: (tags.count(("", name)), tags.count(("/", name))) for name in names}
    return {name: (opened, closed) for name, (opened, closed) in counts.items() if opened != closed}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.html")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_element_that_a_template_opens_is_closed(path):
    assert list_unbalanced_tags(path.read_text()) == {}


def test_a_paragraph_that_is_cut_off_is_seen():
    assert list_unbalanced_tags("<p>Your customers are read, and\n<form></form>") == {"p": (1, 0)}


def test_every_icon_and_every_filter_of_ours_is_used():
    written = "\n".join(path.read_text() for path in FOLDER.rglob("*.html") if path.name != "icons.html")
    icons = re.findall(r'^  "([a-z0-9-]+)":', (FOLDER / "icons.html").read_text(), re.MULTILINE)
    app = Flask(__name__)
    known = set(app.jinja_env.filters)
    add_filters(app)
    unused = [name for name in set(app.jinja_env.filters) - known if not re.search(rf"\|\s*{name}\b", written)]

    assert [name for name in icons if f'"{name}"' not in written] + unused == []
