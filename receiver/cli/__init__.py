"""The command line: `cratewire` and its subcommands, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from pipeline.infra.private_files import set_private_umask
from receiver.cli.handover import can_hand_over, run_in_fork

# name -> (module:command, its line in the list of commands)
COMMANDS = {
    "accounts": (
        "receiver.cli.accounts:accounts",
        "Show who may log in and who did what; invite and remove people; tokens.",
    ),
    "alarms": ("receiver.cli.alarms:alarms", "Show alarms, and test their delivery."),
    "chain": ("receiver.cli.chain:chain", "Resume the chain after nearly all hooks failed."),
    "connect": ("receiver.cli.connect:connect", "Connect a store to a messaging platform."),
    "connections": (
        "receiver.cli.connections:connections",
        "List, pause, resume or rename connections; change their keys.",
    ),
    "dead": ("receiver.cli.dead:dead", "List, show or replay dead hooks and deliveries."),
    "demo": ("receiver.cli.demo:demo", "Watch the events of a sandbox store arrive at a sandbox Customer.io."),
    "events": ("receiver.cli.events:events", "List, show or follow events; send a test event."),
    "flow": ("receiver.cli.flow:flow", "Show where all that was received is; check the kept counts."),
    "fulfilment": (
        "receiver.cli.fulfilment:fulfilment",
        "Send boxes to a warehouse: connect, dry run, go live, status, release, retry.",
    ),
    "hooks": ("receiver.cli.hooks:hooks", "List, repair, audit, rotate or remove the hooks registered at Cratejoy."),
    "backfill": ("receiver.cli.backfill:backfill", "Read a store's customers: start, watch, pause, resume, cancel."),
    "partitions": (
        "receiver.cli.partitions:partitions",
        "Show or change into how many partitions the inbox is divided.",
    ),
    "people": ("receiver.cli.people:people", "Look up people; export and erase what is stored about them."),
    "stores": ("receiver.cli.stores:stores", "List, show, rename or remove stores; change their keys and events."),
    "search": (
        "receiver.cli.search:search_command",
        "Find people and events by a name, an address or a number.",
    ),
    "statement": ("receiver.cli.statement:statement", "Show what a store's month was, and prove that it is unchanged."),
    "status": ("receiver.cli.status:status", "Show what needs attention, what waits and what was sent."),
    "doctor": ("receiver.cli.doctor:doctor", "Check this installation and say how to fix each fault."),
    "migrate": ("receiver.cli.migrate:migrate", "Upgrade the database to the latest revision."),
    "reconcile": ("receiver.cli.reconcile:reconcile", "Find and recover events whose hooks never arrived."),
    "rehearse": ("receiver.cli.rehearse:rehearse_command", "Run recorded hooks again with a change; sends nothing."),
    "replay": ("receiver.cli.replay:replay", "Send messages again, and read dead hooks again."),
    "reseal": ("receiver.cli.reseal:reseal", "Encrypt every saved key again with the first secret key."),
    "run": ("receiver.cli.run:run", "Run everything on this machine in the foreground."),
}


class Commands(click.Group):
    """A group that imports a command only when it is called, or hands it to `cratewire run`, which has imported it."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line of this process: `main` runs one that is handed in."""
        if can_hand_over(sys.argv[1:], COMMANDS):
            code = run_in_fork(sys.argv[1:], options.get("prog_name") or Path(sys.argv[0]).name)
            if code is not None:
                sys.exit(code)
        return super().__call__(*arguments, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cratewire", message="cratewire %(version)s")
def main() -> None:
    """Cratewire: from a Cratejoy store's web hooks to a messaging platform.

    Settings come from the environment or a .env file; `.env.example` lists them. By default everything runs embedded.
    """
    set_private_umask()
