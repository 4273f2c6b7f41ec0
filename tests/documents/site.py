"""`make docs`: the documents as a site, with the Markdown of each page beside it and an index for language models.

Zensical reads `mkdocs.yml`. What a document links to outside of `docs/` is taken along, so that every link leads
somewhere without the repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "mkdocs.yml"
PAGES_OF_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_FILES = "files"  # the folder of what is linked and no page
_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]+)(#[^)]*)?\)")
_INTO_DOCS = re.compile(r"\]\(docs/")
_NAMED_ROW = re.compile(r"(?m)^\| `([^`\n]+)`")
_FOLDER = re.compile(r"\[([^\]]*)\]\(([a-z]+)/?\)")  # which has no page


def build_site(output: Path) -> None:
    """Build the site into this folder, which is emptied first. Raises CalledProcessError if Zensical fails."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        _stage_documents(stage / "docs")
        shutil.copy(CONFIG, stage)
        command = [
            Path(sys.executable).with_name("zensical"),
            "build",
            "--config-file",
            stage / CONFIG.name,
            "--strict",
        ]
        subprocess.run(command, check=True, cwd=stage, capture_output=True)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(stage / read_config()["site_dir"], output)
        for page in (stage / "docs").rglob("*.md"):
            shutil.copy(page, output / page.relative_to(stage / "docs"))
    (output / "llms.txt").write_text(write_index(), encoding="utf-8")


def read_config() -> dict[str, Any]:
    """The site's settings."""
    found: dict[str, Any] = yaml.safe_load(CONFIG.read_text("utf-8"))
    return found


def list_pages(nav: list[Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each page of the navigation: the titles above it, its own, and its file."""
    for entry in nav:
        ((title, below),) = entry.items()
        if isinstance(below, str):
            yield (), title, below
            continue
        for above, name, file in list_pages(below):
            yield (title, *above), name, file


def write_index() -> str:
    """The index by `llmstxt.org`: each page as its Markdown, under the kind it is of."""
    config = read_config()
    lines = [f"# {config['site_name']}", "", f"> {config['site_description']}."]
    kind = None
    for above, title, file in list_pages(config["nav"]):
        if above[:1] != kind:
            kind = above[:1]
            lines += ["", f"## {above[0]}" if above else "## Index", ""]
        lines.append(f"- [{': '.join((*above[1:], title))}]({file})")
    return "\n".join(lines) + "\n"


def _stage_documents(docs: Path) -> None:
    shutil.copytree(ROOT / "docs", docs)
    for name in PAGES_OF_THE_ROOT:
        text = (ROOT / name).read_text("utf-8")
        (docs / name).write_text(_INTO_DOCS.sub("](", text), encoding="utf-8")
    for page in docs.glob("*.md"):
        text = page.read_text("utf-8")
        text = _add_addresses(text)
        text = _FOLDER.sub(lambda link: link[1] if (docs / link[2]).is_dir() else link[0], text)
        page.write_text(_OUTSIDE.sub(lambda link: _take_along(link, docs), text), encoding="utf-8")


def _add_addresses(text: str) -> str:
    """Give each name in code marks that begins a row of a table an address of its own, where it stands first."""
    taken: set[str] = set()

    def add(row: re.Match[str]) -> str:
        address = make_address(row[1])
        if address in taken:
            return row[0]
        taken.add(address)
        return f'| <a id="{address}"></a>`{row[1]}`'

    return _NAMED_ROW.sub(add, text)


def make_address(name: str) -> str:
    """The address of a name on its page."""
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-")


def _take_along(link: re.Match[str], docs: Path) -> str:
    """The link to a copy of the file; of a folder its name alone is left."""
    text, target, anchor = link[1], link[2], link[3] or ""
    if target in PAGES_OF_THE_ROOT:
        return f"[{text}]({target}{anchor})"
    if not (ROOT / target).is_file():
        return text
    copy = docs / _FILES / target.removeprefix(".")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / target, copy)
    return f"[{text}]({_FILES}/{target.removeprefix('.')})"


if __name__ == "__main__":
    build_site(ROOT / read_config()["site_dir"])
