"""Every file and folder of ours that a document names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents.markdown import ROOT, read_document

DOCUMENTS = [Path("CONTRIBUTING.md"), *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))]
_PATH = re.compile(r"`((?:schemas|pipeline|tasks|receiver|sandbox|bench|tests|deploy)/[\w./-]*)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_path_in_a_document_exists(document):
    named = _PATH.findall(read_document(str(document)))

    assert [path for path in named if not (ROOT / path).exists()] == []
