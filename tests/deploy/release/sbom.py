"""Writes the bill of materials, in CycloneDX: what product.lock installs, and what the pages bring with them.

It has no licences of the Python packages: product.lock does not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tests.deploy.release.lock import PROJECT, Pinned
from tests.deploy.release.vendored import Vendored

AUTHORS = "The Cratewire developers"


@dataclass(frozen=True)
class Release:
    version: str
    licence: str
    built_at_s: int
    packages: tuple[Path, ...]  # the wheel and the sdist


def write_sbom(
    release: Release, pinned: list[Pinned], vendored: list[Vendored], read_file: Callable[[Path], bytes]
) -> str:
    """Return the document as JSON. Nothing in it is random, and its time is the release's."""
    product = _product(release)
    libraries = {one: _library(one) for one in pinned}
    scripts = [_script(one, read_file) for one in vendored]
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"{product.purl} {sorted(str(one) for one in product.external_references)}"),
        components=[*libraries.values(), *scripts],
        metadata=BomMetaData(
            component=product,
            supplier=OrganizationalEntity(name=AUTHORS),
            timestamp=datetime.fromtimestamp(release.built_at_s, UTC),
            tools=ToolRepository(components=[this_component()]),
        ),
        dependencies=_dependencies(product, libraries, scripts),
    )
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _product(release: Release) -> Component:
    purl = PackageURL("pypi", None, PROJECT, release.version)
    files = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION, url=XsUri(path.name), hashes=[_sha256(path.read_bytes())]
        )
        for path in release.packages
    ]
    return Component(
        type=ComponentType.APPLICATION,
        name=PROJECT,
        version=release.version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(release.licence)],
        external_references=files,
    )


def _library(one: Pinned) -> Component:
    """With the hashes of every file that pip would accept: a wheel for each system, and the sdist."""
    purl = PackageURL("pypi", None, one.name, one.version)
    accepted = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(purl)),
        comment="Any one of these files is installed.",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashed) for hashed in one.sha256],
    )
    return Component(
        type=ComponentType.LIBRARY,
        name=one.name,
        version=one.version,
        purl=purl,
        bom_ref=str(purl),
        external_references=[accepted],
        properties=[Property(name="cratewire:environment-marker", value=one.marker)] if one.marker else [],
    )


def _script(one: Vendored, read_file: Callable[[Path], bytes]) -> Component:
    scope, _, name = one.package.rpartition("/")
    purl = PackageURL("npm", scope or None, name, one.version)
    files = [
        Component(type=ComponentType.FILE, name=str(path), bom_ref=str(path), hashes=[_sha256(read_file(path))])
        for path in one.files
    ]
    return Component(
        type=ComponentType.LIBRARY,
        name=one.package,
        version=one.version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(one.licence)],
        external_references=[ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(one.site))],
        components=files,
    )


def _dependencies(product: Component, libraries: dict[Pinned, Component], scripts: list[Component]) -> list[Dependency]:
    """Who asks for whom, as the lock says it; the product brings the scripts."""
    needs: dict[str, set[BomRef]] = {PROJECT: {one.bom_ref for one in scripts}}
    for pinned, component in libraries.items():
        for name in pinned.asked_by:
            needs.setdefault(name, set()).add(component.bom_ref)
    refs = [
        (PROJECT, product.bom_ref),
        *((pinned.name, component.bom_ref) for pinned, component in libraries.items()),
        *((one.name, one.bom_ref) for one in scripts),
    ]
    return [Dependency(ref, dependencies=[Dependency(other) for other in needs.get(name, ())]) for name, ref in refs]


def _sha256(content: bytes) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=sha256(content).hexdigest())
