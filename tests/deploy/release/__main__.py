"""Makes dist/ from the commit that is checked out: `make release`."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.release.lock import PROJECT, leave_out_build_only, read_lock
from tests.deploy.release.packages import build_packages
from tests.deploy.release.sbom import Release, write_sbom
from tests.deploy.release.vendored import LICENSES, read_vendored

DIST = Path("dist")


class NotReleasable(Exception):
    """What is in the way, and what to do about it."""


def main() -> int:
    """Return the exit code."""
    try:
        made = make_release(Path.cwd(), DIST)
    except NotReleasable as reason:
        print(f"release: {reason}", file=sys.stderr)  # noqa: T201  make shows it
        return 1
    print("\n".join(f"{DIST}/{path.name}" for path in made))  # noqa: T201
    return 0


def make_release(repository: Path, into: Path) -> list[Path]:
    """Build everything from HEAD's files, and nothing that lies beside them; return the paths of what was made."""
    if changed := _git(repository, "status", "--porcelain", "--untracked-files=no").strip():
        raise NotReleasable(f"these files differ from the commit; commit or restore them:\n{changed.decode()}")
    into.mkdir(exist_ok=True)
    if others := sorted(path.name for path in into.iterdir()):
        raise NotReleasable(f"{into}/ has {', '.join(others)} already; move or delete them")
    built_at_s = int(_git(repository, "log", "-1", "--format=%ct"))
    with TemporaryDirectory() as folder:
        source = Path(folder)
        with tarfile.open(fileobj=BytesIO(_git(repository, "archive", "HEAD"))) as archive:
            archive.extractall(source, filter="data")
        project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
        tags = _git(repository, "tag", "--points-at", "HEAD").decode().split()
        check_names(tags, project["version"], (source / "CHANGELOG.md").read_text())
        built = build_packages(source, into, built_at_s)
        release = Release(project["version"], project["license"], built_at_s, (built.wheel, built.sdist))
        (into / f"{PROJECT}-{release.version}.cdx.json").write_text(_describe(release, source))
    return [*sorted(into.iterdir()), _write_sums(into)]


def check_names(tags: list[str], version: str, changelog: str) -> None:
    """A commit that is tagged as a release has that version, and a section of the changelog; no other needs them."""
    for tag in tags:
        if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
            continue
        if tag != f"v{version}":
            raise NotReleasable(f"the tag {tag} is not of version {version}, which pyproject.toml has; move the tag")
        if not re.search(rf"(?m)^## {re.escape(version)}, \d{{4}}-\d\d-\d\d$", changelog):
            raise NotReleasable(f"CHANGELOG.md has no line '## {version}, YYYY-MM-DD'; docs/releasing.md says where")


def _describe(release: Release, source: Path) -> str:
    """Return the bill of materials."""
    pinned = leave_out_build_only(read_lock((source / "product.lock").read_text()))
    vendored = read_vendored((source / LICENSES).read_text())
    return write_sbom(release, pinned, vendored, lambda path: (source / path).read_bytes())


def _write_sums(folder: Path) -> Path:
    """Write SHA256SUMS as sha256sum does, for its --check."""
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (sums := folder / "SHA256SUMS").write_text("".join(lines))
    return sums


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())
