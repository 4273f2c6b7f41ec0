"""The images that are pulled: each has a version, all have a digest or none has, and `make images` gives them one."""

from __future__ import annotations

import re

import pytest

from tests.deploy.release import images
from tests.deploy.shell import ROOT

TEXTS = {path.name: (ROOT / path).read_text() for path in images.FILES}
PULLED = [found for text in TEXTS.values() for found in images.list_images(text)]
TEXT = """
FROM python:3.13-slim AS build
FROM python:3.13-slim
    image: prom/prometheus:v3.5.0
    image: cratewire
"""


def digest_of(tag: str) -> str:
    return f"sha256:{tag.encode().hex():0<64}"[:71]


def test_every_image_that_is_pulled_is_found():
    named = [word for text in TEXTS.values() for word in re.findall(r"(?m)^(?:FROM|\s+image:) (\S+)", text)]
    here = {"cratewire"}

    assert sorted(name.partition("@")[0] for name in named if name not in here) == sorted(tag for tag, _ in PULLED)


def test_the_tag_of_every_image_has_a_version():
    assert [tag for tag, _ in PULLED if not re.search(r":v?\d", tag)] == []


def test_all_images_are_pinned_or_none_is():
    assert len({digest is None for _, digest in PULLED}) == 1


def test_every_image_that_is_pulled_is_pinned_and_no_other():
    pinned = images.pin_images(TEXT, digest_of)

    assert pinned.splitlines()[1] == f"FROM python:3.13-slim@{digest_of('python:3.13-slim')} AS build"
    assert pinned.splitlines()[3] == f"    image: prom/prometheus:v3.5.0@{digest_of('prom/prometheus:v3.5.0')}"
    assert pinned.splitlines()[4] == "    image: cratewire"


def test_an_image_that_is_pinned_gets_the_digest_of_today():
    before = images.pin_images(TEXT, lambda _: f"sha256:{'0' * 64}")

    assert images.pin_images(before, digest_of) == images.pin_images(TEXT, digest_of)


def test_where_the_registry_has_no_answer_nothing_is_pinned(tmp_path, monkeypatch):
    (tmp_path / "docker").write_text("#!/bin/sh\necho 'not found' >&2\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LookupError, match=r"prom/prometheus:v3\.5\.0: not found"):
        images.ask_registry("prom/prometheus:v3.5.0")


def test_what_the_registry_answers_is_a_digest_or_refused(tmp_path, monkeypatch):
    (tmp_path / "docker").write_text("#!/bin/sh\necho '<html>'\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LookupError, match="<html>"):
        images.ask_registry("prom/prometheus:v3.5.0")
