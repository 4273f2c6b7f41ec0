"""The bill of materials: CycloneDX's own schema accepts it, nothing is missing, and it is the same each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.deploy.release.lock import leave_out_build_only, read_lock
from tests.deploy.release.sbom import Release, write_sbom
from tests.deploy.release.vendored import LICENSES, read_vendored
from tests.deploy.shell import ROOT

LOCK = (ROOT / "product.lock").read_text()
PINNED = leave_out_build_only(read_lock(LOCK))
VENDORED = read_vendored((ROOT / LICENSES).read_text())
BUILT_AT_S = 1_800_000_000
AGAIN = """
from pathlib import Path
from tests.deploy import test_sbom
print(test_sbom.write(test_sbom.make_release(Path(".").resolve())), end="")
"""


def make_release(folder: Path) -> Release:
    (wheel := folder / "cratewire-1.2.3-py3-none-any.whl").write_bytes(b"the wheel")
    return Release("1.2.3", "MIT", BUILT_AT_S, (wheel,))


def write(release: Release) -> str:
    return write_sbom(release, PINNED, VENDORED, lambda path: (ROOT / path).read_bytes())


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> str:
    return write(make_release(tmp_path_factory.mktemp("dist")))


@pytest.fixture(scope="module")
def document(text):
    return json.loads(text)


def test_the_schema_accepts_it(text):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_the_same_in_another_process_and_another_folder(text, tmp_path):
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"}
    again = subprocess.run(
        [sys.executable, "-c", AGAIN], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )

    assert again.stdout == text


def test_its_time_is_the_releases(document):
    assert document["metadata"]["timestamp"] == "2027-01-15T08:00:00+00:00"


def test_every_package_of_the_lock_but_the_build_back_end_is_in_it(document):
    locked = {tuple(line.split()[0].split("==")) for line in LOCK.splitlines() if re.match(r"[a-z].*==", line)}
    build_only = {"hatchling", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    described = {(one["name"], one["version"]) for one in document["components"] if one["purl"].startswith("pkg:pypi/")}

    assert described == {(re.sub(r"\[.*", "", name), version) for name, version in locked if name not in build_only}


def test_a_package_has_the_hashes_of_the_lock(document):
    (found,) = [one for one in document["components"] if one["name"] == "celery"]
    hashes = {one["content"] for one in found["externalReferences"][0]["hashes"]}

    assert len(hashes) == 2
    assert all(f"--hash=sha256:{one}" in LOCK for one in hashes)


def test_every_file_by_others_in_the_pages_is_in_it_with_its_hash(document):
    files = {
        one["name"]: one["hashes"][0]["content"]
        for whole in document["components"]
        for one in whole.get("components", [])
    }
    folder = LICENSES.parent
    expected = [path for path in (ROOT / folder).iterdir() if path.name != LICENSES.name]
    expected.append(ROOT / "receiver/pages/templates/icons.html")

    assert files == {str(path.relative_to(ROOT)): sha256(path.read_bytes()).hexdigest() for path in expected}


def test_what_the_pages_bring_has_its_licence(document):
    licences = {one["name"]: one["licenses"] for one in document["components"] if one["purl"].startswith("pkg:npm/")}

    assert licences["@picocss/pico"] == [{"license": {"id": "MIT"}}]
    assert licences["lucide-static"] == [{"expression": "ISC AND MIT"}]
    assert len(licences) == len(VENDORED)


def test_the_product_is_the_files_of_the_release(document):
    (file,) = document["metadata"]["component"]["externalReferences"]

    assert file["url"] == "cratewire-1.2.3-py3-none-any.whl"
    assert file["hashes"] == [{"alg": "SHA-256", "content": sha256(b"the wheel").hexdigest()}]


def test_the_product_needs_every_component_itself_or_through_another(document):
    needs = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    reached, following = set(), [document["metadata"]["component"]["bom-ref"]]
    while following:
        for other in needs[following.pop()]:
            if other not in reached:
                reached.add(other)
                following.append(other)

    assert reached == {one["bom-ref"] for one in document["components"]}


def test_a_lock_with_lines_that_are_not_understood_is_refused():
    with pytest.raises(ValueError, match="not understood"):
        read_lock(f"{LOCK}odd @ https://example.com/odd.whl\n")


def test_a_script_under_an_unknown_licence_is_refused():
    with pytest.raises(ValueError, match="odd"):
        read_vendored("odd.js: odd 1.0, https://example.com\n\nDo as you please.\n")
