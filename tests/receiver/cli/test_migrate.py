"""What whoever starts everything is told of a secret key that is not the ledger's."""

from __future__ import annotations


def test_whoever_migrates_with_another_key_is_warned(shell, installed, monkeypatch):
    installed.connect({"api_key": "k"})
    monkeypatch.setenv("CRATEWIRE_SECRET_KEY", "a-key-that-somebody-made-up")

    assert "Warning: the secret key opens 0 of 1" in shell.run("migrate").stderr


def test_whoever_migrates_with_the_right_key_is_not(shell, installed):
    installed.connect({"api_key": "k"})

    assert not shell.run("migrate").stderr
