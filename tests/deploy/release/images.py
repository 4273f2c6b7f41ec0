"""Pins every image of the Dockerfile and docker-compose.yml to what its tag means in the registry now: `make images`.

A tag may come to mean another image; a digest cannot. Docker pulls by the digest, and the tag beside it is for readers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

FILES = (Path("Dockerfile"), Path("docker-compose.yml"))
DIGEST = r"sha256:[0-9a-f]{64}"
REFERENCE = re.compile(rf"(?m)^(?P<before>FROM |    image: )(?P<tag>[a-z][\w./-]*:[\w.-]+)(?P<digest>@{DIGEST})?")


def main() -> int:
    """Return the exit code."""
    if shutil.which("docker") is None:
        print("images: docker, with its plugin buildx, asks the registry; install both", file=sys.stderr)  # noqa: T201
        return 1
    find = cache(ask_registry)
    try:
        pinned = {path: pin_images(path.read_text(), find) for path in FILES}
    except LookupError as problem:
        print(f"images: {problem}; nothing is changed", file=sys.stderr)  # noqa: T201
        return 1
    for path, text in pinned.items():
        path.write_text(text)
        print(*(f"{path}: {tag} {digest}" for tag, digest in list_images(text)), sep="\n")  # noqa: T201
    return 0


def list_images(text: str) -> list[tuple[str, str | None]]:
    """Every image that is pulled, by its tag, with its digest if it has one."""
    return [(found["tag"], found["digest"] and found["digest"].removeprefix("@")) for found in REFERENCE.finditer(text)]


def pin_images(text: str, find_digest: Callable[[str], str]) -> str:
    """Return the text with a digest beside each tag; a digest that is there already is replaced."""
    return REFERENCE.sub(lambda found: f"{found['before']}{found['tag']}@{find_digest(found['tag'])}", text)


def ask_registry(tag: str) -> str:
    """Return the digest of the list of an image's variants, one for each kind of processor."""
    command = ["docker", "buildx", "imagetools", "inspect", tag, "--format", "{{.Manifest.Digest}}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    digest = answer.stdout.strip()
    if answer.returncode != 0 or not re.fullmatch(DIGEST, digest):
        raise LookupError(f"the registry gave no digest of {tag}: {answer.stderr.strip() or digest}")
    return digest


if __name__ == "__main__":
    sys.exit(main())
