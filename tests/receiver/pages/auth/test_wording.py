"""Our wording of Flask-Security's texts: each entry is needed and used."""

from __future__ import annotations

import re
from pathlib import Path

import flask_security
import pytest

from receiver.pages.auth.wording import TRANSLATIONS


def test_each_of_their_texts_is_still_theirs():
    folder = Path(flask_security.__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("templates/security/*.html")]
    said = re.sub(r"\s+", " ", " ".join(path.read_text() for path in files))

    assert [text for text in TRANSLATIONS if f'"{text}"' not in said and f"'{text}'" not in said] == []


FORMS = ["/login", "/register", "/reset", "/confirm"]


@pytest.mark.parametrize("path", FORMS)
def test_the_links_below_a_form_lead_to_the_other_forms(pages, path):
    menu = pages.visitor().go(path).partition('class="menu"')[2]

    assert re.findall(r'href="(.*?)"', menu) == [other for other in FORMS if other != path]


@pytest.mark.parametrize("path", FORMS)
def test_pages_are_in_our_words(pages, path):
    visitor = pages.visitor()
    visitor.go(path)
    shown = [*re.findall(r"<h1>(.*?)</h1>", visitor.page), *re.findall(r'type="submit" value="(.*?)"', visitor.page)]
    shown += re.findall(r"<label[^>]*>(.*?)</label>", visitor.page)

    assert [text for text in shown if text in TRANSLATIONS] == []
