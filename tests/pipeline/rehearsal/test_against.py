"""A rehearsal against another version names each of five changes of its source, and nothing besides."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.rehearsal import copy_changed, expect
from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.rehearsal.side_process import find_version

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return find_version(copy_changed(tmp_path_factory.mktemp("other")))


def test_each_of_five_changes_is_named_and_nothing_else(recorded, other):
    with reading(recorded.engine) as conn:
        expected = expect(conn)

    counts = Counter()
    for group in recorded.report(version=other).groups:
        counts[group.change, group.kind, *group.fields] += group.count

    assert counts == expected
    assert min(expected.values()) > 0


def test_a_folder_without_a_version_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="no Cratewire there that can rehearse"):
        find_version(tmp_path)
