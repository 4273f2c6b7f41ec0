"""The tables of the documents match the code, and every link of every document has a target."""

from __future__ import annotations

import re
import tomllib

import pytest

from pipeline.settings import VARIABLES
from pipeline.settings.reference import render_env_example, replace_table
from receiver.cli import COMMANDS
from tests.documents.markdown import ROOT, get_code_names, parse_tables, read_document

PROJECT = tomllib.loads(read_document("pyproject.toml"))["project"]
DOCUMENTS = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read_table(document: str, number: int = 0):
    return parse_tables(read_document(document))[number]


def names_of(requirements):
    return [re.split(r"[\[<>=~]", requirement)[0] for requirement in requirements]


def test_the_configuration_table_has_every_variable_of_the_settings():
    assert get_code_names(read_table("docs/configuration.md")) == [row.name for row in VARIABLES.values()]


def test_the_configuration_table_is_what_make_settings_writes():
    document = read_document("docs/configuration.md")

    assert replace_table(document, VARIABLES.values()) == document


def test_the_example_environment_is_what_make_settings_writes():
    assert read_document(".env.example") == render_env_example(VARIABLES.values())


def test_the_command_line_table_has_every_command():
    typed = [
        name.split()[1] for name in get_code_names(read_table("docs/command-line.md")) if name.startswith("cratewire ")
    ]

    assert sorted(typed) == sorted(COMMANDS)


def test_the_process_table_has_every_process_of_the_procfile():
    processes = [line.partition(":")[0] for line in read_document("Procfile").splitlines()]

    assert get_code_names(read_table("docs/deployment.md")) == processes


def test_the_dependency_table_has_every_dependency():
    assert get_code_names(read_table("docs/dependencies.md")) == names_of(PROJECT["dependencies"])


def test_the_second_dependency_table_has_every_dependency_for_development():
    extras = PROJECT["optional-dependencies"]

    assert get_code_names(read_table("docs/dependencies.md", 1)) == sorted(names_of([*extras["dev"], *extras["build"]]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file_or_a_heading(document):
    text = read_document(str(document))
    targets = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith(("http://", "https://"))]
    headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"(?m)^#+ (.+)", text)}
    dead = [
        link
        for link in targets
        if (link[1:] not in headings if link.startswith("#") else not (ROOT / document.parent / link).exists())
    ]

    assert dead == []


def test_the_index_of_the_documents_names_all_of_them():
    index = read_document("docs/README.md")
    pages = [
        str(path.relative_to("docs")) for path in DOCUMENTS if path.parts[0] == "docs" and path.name != "README.md"
    ]

    assert [page for page in pages if f"({page})" not in index] == []
