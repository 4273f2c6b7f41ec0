"""The command line: `cratewire` and its subcommands, each imported only when it is called."""

from __future__ import annotations

import importlib

import click

from pipeline.infra.private_files import set_private_umask

# name -> (module:command, what the list of commands says about it)
COMMANDS = {
    "accounts": ("receiver.cli.accounts:accounts", "Show who may log in to the pages, and invite somebody."),
    "alarms": ("receiver.cli.alarms:alarms", "Show everything that needed a person, and test who is told."),
    "chain": ("receiver.cli.chain:chain", "Let hooks become events again after nearly all failed."),
    "connect": ("receiver.cli.connect:connect", "Connect a store to a messaging platform."),
    "connections": ("receiver.cli.connections:connections", "Pause what leaves for a platform, and let it go on."),
    "dead": ("receiver.cli.dead:dead", "List, show or replay what could not go on."),
    "demo": ("receiver.cli.demo:demo", "Watch a living sandbox store arrive at a sandbox Customer.io."),
    "events": ("receiver.cli.events:events", "List, show or follow events."),
    "hooks": ("receiver.cli.hooks:hooks", "List, mend, audit, rotate or remove the hooks registered at Cratejoy."),
    "backfill": ("receiver.cli.backfill:backfill", "Read a store's customers: start, watch, pause, resume, cancel."),
    "people": ("receiver.cli.people:people", "Look people up."),
    "status": ("receiver.cli.status:status", "Show what waits, what was sent and what cannot go on."),
    "doctor": ("receiver.cli.doctor:doctor", "Check this installation and say what to do about each fault."),
    "migrate": ("receiver.cli.migrate:migrate", "Bring the database to the newest revision."),
    "reconcile": ("receiver.cli.reconcile:reconcile", "Search a store's API for what no hook has told."),
    "reseal": ("receiver.cli.reseal:reseal", "Encrypt every saved key anew with the first secret key."),
    "run": ("receiver.cli.run:run", "Run everything on this machine in the foreground."),
}


class Commands(click.Group):
    """A group that reads its table; listing commands imports none of them."""

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

    Settings come from the environment or a .env file; `.env.example` lists them. Without any, everything runs embedded.
    """
    set_private_umask()
