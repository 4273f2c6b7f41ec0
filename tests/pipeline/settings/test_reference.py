"""How the declaration of the settings becomes `.env.example` and a table of the documents."""

from __future__ import annotations

from pipeline.infra.environment import read_environment
from pipeline.settings import VARIABLES, Settings
from pipeline.settings.reference import render_env_example, render_table, write_reference
from pipeline.settings.variable import Variable

RATE = Variable(group="Web", name="RATE", summary="The rate limit.", default=2.0, unit="requests a second")
KEY = Variable(group="Web", name="KEY", summary="See [docs/a.md](docs/a.md).", unset="generated", example="k")
MAIL = Variable(group="Mail", name="MAIL", summary="The sender.", detail="One address.")


def test_the_example_shows_default_unit_and_what_applies_when_unset():
    assert render_env_example([RATE, KEY, MAIL]).split("\n\n")[1:] == [
        "# ---- Web ----",
        "# The rate limit. Unit: requests a second.\n#RATE=2.0",
        "# See docs/a.md. Unset: generated.\n#KEY=k",
        "# ---- Mail ----",
        "# The sender. One address. Unset: none.\n#MAIL=\n",
    ]


def test_the_table_shows_the_default_with_its_unit():
    assert render_table([RATE, KEY, MAIL]).splitlines()[2:] == [
        "| `RATE` | `2.0` requests a second | The rate limit. |",
        "| `KEY` | generated | See [a.md](a.md). |",
        "| `MAIL` | none | The sender. |",
    ]


def test_only_the_text_between_the_markers_of_the_document_is_replaced(tmp_path):
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs/configuration.md"
    document.write_text("before\n<!-- settings: begin -->\nold\n<!-- settings: end -->\nafter\n")

    write_reference(tmp_path, [RATE])

    parts = [
        "before",
        "<!-- settings: begin -->",
        *render_table([RATE]).splitlines(),
        "<!-- settings: end -->",
        "after",
    ]
    assert document.read_text().splitlines() == parts
    assert (tmp_path / ".env.example").read_text() == render_env_example([RATE])


def test_the_defaults_in_the_example_file_are_those_of_the_settings(tmp_path):
    shown = {row.name: str(row.default) for row in VARIABLES.values() if row.default is not None}
    (tmp_path / "shown").write_text(
        "\n".join(line[1:] for line in render_env_example(VARIABLES.values()).splitlines() if line.startswith("#"))
    )
    environ = {name: value for name, value in read_environment(tmp_path / "shown").items() if name in shown}

    given = Settings.from_environment(environ, data_dir=tmp_path / "data")

    assert given == Settings.from_environment({}, data_dir=tmp_path / "data")
