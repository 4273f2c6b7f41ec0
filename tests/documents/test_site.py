"""The site of the documents: each is in the navigation, each link leads somewhere, nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.attention.causes import CAUSES
from pipeline.core.hooks import UNREADABLE_TEXTS
from pipeline.events.catalogue import EVENTS
from pipeline.settings import VARIABLES
from receiver.metrics.collect import GAUGES
from tests.documents.site import (
    PAGES_OF_THE_ROOT,
    ROOT,
    build_site,
    list_pages,
    make_address,
    read_config,
    write_index,
)
from tests.documents.test_metrics import METRICS, listed

# Of what people meet in a log, in a command's output or on a page: where it is explained.
NAMES: dict[str, Callable[[], list[str]]] = {
    "configuration.md": lambda: [variable.name for variable in VARIABLES.values()],
    "operations.md": lambda: list(UNREADABLE_TEXTS),
    "events.md": lambda: list(EVENTS),
    "metrics.md": lambda: [*GAUGES, *listed(METRICS[0])],
    "attention.md": lambda: [cause.name for cause in CAUSES],
}
KINDS = ["Tutorial", "How to", "Reference", "Explanation"]


class Links(HTMLParser):
    """The ids of a page, what it links to, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.targets.add(found["href"])
        if tag in {"script", "img"} and "src" in found:
            self.loaded.add(found["src"])
        if tag == "link" and found.get("rel") == "stylesheet":
            self.loaded.add(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    build_site(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site): Links(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_the_navigation_has_every_document_once_under_one_of_four_kinds():
    listed = [(above, file) for above, _, file in list_pages(read_config()["nav"])]

    files = [file for _, file in listed]
    documents = sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))
    assert sorted(files) == sorted([*documents, *PAGES_OF_THE_ROOT])
    assert list(dict.fromkeys(above[0] for above, _ in listed if above)) == KINDS


def test_every_link_inside_leads_to_a_page_and_a_place_on_it(site, pages):
    dead = []
    for page, links in pages.items():
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or page == Path("404.html"):
                continue
            path = (site / page.parent / unquote(parts.path)).resolve() if parts.path else site / page
            place = path / "index.html" if path.is_dir() else path
            known = pages.get(place.relative_to(site.resolve()) if parts.path else page)
            is_there = place.is_file() and (not parts.fragment or known is None or unquote(parts.fragment) in known.ids)
            dead += [] if is_there else [(str(page), target)]

    assert dead == []
    assert sum(len(links.targets) for links in pages.values()) > len(pages)


@pytest.mark.parametrize("page", NAMES)
def test_each_name_of_the_code_has_an_address_of_its_own(pages, page):
    addresses = pages[Path(page).with_suffix(".html")].ids

    names = NAMES[page]()
    assert [name for name in names if make_address(name) not in addresses] == []
    assert names


def test_nothing_is_loaded_from_elsewhere(pages):
    loaded = {address for links in pages.values() for address in links.loaded}

    assert [address for address in loaded if urlsplit(address).netloc] == []
    assert loaded


def test_each_page_has_its_markdown_beside_it_and_a_line_in_the_index(site):
    index = (site / "llms.txt").read_text("utf-8")

    assert index == write_index()
    for _, _, file in list_pages(read_config()["nav"]):
        assert (site / file).is_file()
        assert f"]({file})" in index
