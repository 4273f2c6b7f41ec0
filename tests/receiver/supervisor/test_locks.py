"""What only one run may use at a time."""

from __future__ import annotations

import socket

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import find_free_port, is_run_active
from pipeline.settings import Settings
from receiver.supervisor.locks import hold_data_dir, require_free_ports


@pytest.fixture
def listener():
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def settings(tmp_path, web, flower):
    return Settings.from_environment({"CRATEWIRE_FLOWER_PORT": str(flower)}, data_dir=tmp_path, port=web)


def test_a_data_directory_is_held_by_one_at_a_time(tmp_path):
    with hold_data_dir(tmp_path), pytest.raises(Misconfigured, match="in use"), hold_data_dir(tmp_path):
        pass


def test_whether_a_data_directory_is_held_can_be_asked(tmp_path):
    asked = [is_run_active(tmp_path)]
    with hold_data_dir(tmp_path):
        asked.append(is_run_active(tmp_path))
    asked.append(is_run_active(tmp_path))

    assert asked == [False, True, False]


def test_a_data_directory_that_was_let_go_can_be_held_again(tmp_path):
    with hold_data_dir(tmp_path):
        pass

    with hold_data_dir(tmp_path):
        assert (tmp_path / "run.lock").exists()


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match="file"), hold_data_dir(tmp_path / "file"):
        pass


def test_every_taken_port_is_named(tmp_path, listener):
    with pytest.raises(Misconfigured, match=f"web's port {listener} is taken"):
        require_free_ports(settings(tmp_path, listener, find_free_port()))
    with pytest.raises(Misconfigured, match=f"flower's port {listener} is taken"):
        require_free_ports(settings(tmp_path, find_free_port(), listener))


def test_web_and_flower_need_a_port_each(tmp_path):
    port = find_free_port()

    with pytest.raises(Misconfigured, match="cannot share"):
        require_free_ports(settings(tmp_path, port, port))


def test_free_ports_are_fine(tmp_path):
    assert require_free_ports(settings(tmp_path, find_free_port(), find_free_port())) is None
