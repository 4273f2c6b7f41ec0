"""The output of many processes on one terminal, or in one file."""

from __future__ import annotations

import io
import re
import sys

from receiver.supervisor.output import make_printer


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_has_its_time_and_the_name_of_its_process(capsys):
    print_line = make_printer(["web", "worker"], clock=lambda: 0.0)
    print_line("web", "up")

    assert re.fullmatch(r"\d\d:\d\d:00 web    \| up\n", capsys.readouterr().out)


def test_every_process_has_its_own_colour_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    print_line = make_printer(["web", "worker"])
    for name in ("web", "worker", "probe"):
        print_line(name, "up")

    assert re.findall(r"\033\[(\d+)m\d", terminal.getvalue()) == ["36", "33"]


def test_each_part_of_a_broken_line_has_its_name(capsys):
    make_printer(["web"])("web", "one\rtwo")

    assert capsys.readouterr().out.count("web | ") == 2
