"""The parts that pages are made of."""

from __future__ import annotations

import pytest
from flask import render_template_string

from receiver.pages.filters import ago, describe_distance

US = 1_000_000


def render(pages, text: str, **given: object) -> str:
    with pages.app.test_request_context():
        return render_template_string(
            '{% from "parts.html" import icon, state, tile, empty, when %}' + text, **given
        ).strip()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "just now"),
        (12, "12 s ago"),
        (59.4, "59 s ago"),
        (14 * 60, "14 min ago"),
        (7200, "2 h ago"),
        (86_400, "1 day ago"),
        (3 * 86_400, "3 days ago"),
        (-90, "in 1 min"),
    ],
)
def test_a_distance_is_said_in_its_largest_unit(seconds, said):
    assert describe_distance(seconds) == said


def test_a_time_says_how_long_ago_it_is_and_has_the_exact_one_in_its_title(pages):
    with pages.app.app_context():
        said = ago(pages.site.now() - 12 * US)

    assert ">12 s ago</time>" in said
    assert 'title="2026-03-02 16:46:28 UTC"' in said


@pytest.mark.parametrize(
    ("kind", "tone"), [("working", "good"), ("catching_up", "waits"), ("needs_you", "bad"), ("not_started", "quiet")]
)
def test_a_state_is_an_icon_a_word_and_a_colour(pages, kind, tone):
    said = render(pages, "{{ state(kind, 'the word') }}", kind=kind)

    assert f'class="mark {tone}"' in said
    assert "<svg" in said
    assert "the word" in said


def test_a_tile_with_an_address_is_a_link(pages):
    assert render(pages, "{{ tile('Waiting', 64, 'oldest 14 min', '/x') }}").startswith('<a class="tile" href="/x">')
    assert "<a" not in render(pages, "{{ tile('Waiting', 64) }}")


def test_an_empty_list_offers_a_way_out(pages):
    assert '<a href="/x">Clear filters</a>' in render(pages, "{{ empty('Nothing.', '/x', 'Clear filters') }}")


def test_what_a_part_is_given_is_escaped(pages):
    assert "<b>" not in render(pages, "{{ tile('<b>', '<b>', '<b>', '<b>') }}{{ state('working', '<b>') }}")
