"""`python -m receiver.cli` is `cratewire`."""

from receiver.cli import main

main(prog_name="cratewire")
