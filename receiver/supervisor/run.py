"""`cratewire run`: the Valkeys, the migration and every process of the Procfile on this machine, in the foreground."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pipeline.core.errors import CratewireError
from pipeline.infra.embedded_valkey import (
    BROKER,
    INBOX_SERVER,
    EmbeddedValkey,
    build_command,
    load_embedded_valkey,
    with_free_port,
)
from pipeline.infra.memory import count_oom_kills, get_available_bytes
from pipeline.infra.private_files import find_exposed_files, restrict_to_owner
from pipeline.infra.secret_files import replace_file
from pipeline.settings import PORT_FILE_NAME, Settings
from receiver.flower import FLOWER_USER
from receiver.supervisor.locks import hold_data_dir, require_free_ports
from receiver.supervisor.memory_plan import ProcessPlan, plan_processes
from receiver.supervisor.output import PrintLine, make_printer
from receiver.supervisor.process import Child
from receiver.supervisor.procfile import PROCFILE, build_child_environment, build_shell_command
from receiver.supervisor.supervisor import SUPERVISOR_NAME, FatalExit, Supervisor

MIGRATE_COMMAND = [sys.executable, "-m", "receiver.cli", "migrate", "--wait"]
REFUSED_EXIT_CODE = 1  # how it ends if waiting does not help
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Return when a signal has stopped everything; raise CratewireError if it cannot begin.

    Web comes first and keeps hooks, whatever else is away. The others follow when the database has been migrated.
    """
    say = make_printer([SUPERVISOR_NAME, INBOX_SERVER, BROKER, "migrate", *PROCFILE])
    chosen = plan_processes(settings.workers, get_available_bytes())
    environment = build_child_environment(settings, environ) | {"CRATEWIRE_WORKERS": str(chosen.workers)}
    with contextlib.ExitStack() as until_the_end:
        until_the_end.enter_context(hold_data_dir(settings.data_dir))
        require_free_ports(settings)
        _close_files_to_others(settings, say)
        count = until_the_end.enter_context(_count_stop_signals())
        supervisor = until_the_end.enter_context(_open_supervisor(say, count))
        if chosen.says:
            say(SUPERVISOR_NAME, chosen.says)
        _save_port(settings, say)
        for name in _list_embedded_servers(settings):
            supervisor.add(_build_valkey_child(settings, name, environment))
        supervisor.add(Child("web", build_shell_command(PROCFILE["web"]), environment))

        def begin_the_others() -> None:
            for name, line in PROCFILE.items():
                if name != "web" and (chosen.flower or name != "flower"):
                    supervisor.add(Child(name, build_shell_command(line), environment))
            probe = [sys.executable, "-m", "receiver.supervisor.readiness"]
            supervisor.add(
                Child("probe", probe, environment, once=lambda: _print_ready(say, settings, environ, chosen))
            )

        supervisor.add(
            Child("migrate", MIGRATE_COMMAND, environment, once=begin_the_others, fatal_exit_code=REFUSED_EXIT_CODE)
        )
        try:
            supervisor.run(should_stop=lambda: count() > 0)
        except FatalExit:
            raise CratewireError("the database cannot be used, and waiting does not change it: see above") from None


def _print_ready(
    print_line: PrintLine, settings: Settings, environ: Mapping[str, str], process_plan: ProcessPlan
) -> None:
    print_line(SUPERVISOR_NAME, format_ready_line(settings, environ, flower=process_plan.flower))
    print_line(SUPERVISOR_NAME, f"To connect a store or see your stores, open {settings.public_url}/")


def format_ready_line(settings: Settings, environ: Mapping[str, str], *, flower: bool = True) -> str:
    """What a reader, or a program that started us, waits for."""
    own = environ.get("CRATEWIRE_FLOWER_PASSWORD")
    password = "CRATEWIRE_FLOWER_PASSWORD" if own else settings.data_dir / "flower_password"
    where = (
        f"http://127.0.0.1:{settings.flower_port} (user {FLOWER_USER}, password in {password})"
        if flower
        else "not started"
    )
    return f"Ready: web http://127.0.0.1:{settings.port}, flower {where}, data {settings.data_dir}"


@contextmanager
def _count_stop_signals() -> Iterator[Callable[[], int]]:
    """How often we were asked to stop: once stops cleanly, twice kills."""
    asked: list[int] = []
    before = {signum: signal.signal(signum, lambda got, _frame: asked.append(got)) for signum in STOP_SIGNALS}
    try:
        yield lambda: len(asked)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def _open_supervisor(print_line: PrintLine, count_stop_signals: Callable[[], int]) -> Iterator[Supervisor]:
    """A supervisor with its guard; whatever happens, its children are stopped."""
    guard_command = [sys.executable, "-m", "receiver.supervisor.reaper"]
    with subprocess.Popen(guard_command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        if guard.stdin is None:
            raise CratewireError("the guard has no input")
        supervisor = Supervisor(print_line, guard.stdin, kills=count_oom_kills)
        try:
            yield supervisor
        finally:
            print_line(SUPERVISOR_NAME, "stopping")
            supervisor.stop(should_kill=lambda: count_stop_signals() > 1)
            print_line(SUPERVISOR_NAME, "stopped")


def _list_embedded_servers(settings: Settings) -> list[str]:
    wanted = {INBOX_SERVER: settings.embedded_redis, BROKER: settings.embedded_broker}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _build_valkey_child(settings: Settings, name: str, environment: Mapping[str, str]) -> Child:
    server: EmbeddedValkey = with_free_port(load_embedded_valkey(settings.data_dir, name))
    return Child(name, build_command(server, settings.valkey_maxmemory if name == INBOX_SERVER else None), environment)


def _close_files_to_others(settings: Settings, print_line: PrintLine) -> None:
    """A data directory that was made beforehand, or by an older version, may be readable by every user."""
    found = find_exposed_files(settings.data_dir, settings.database_url)
    failed = restrict_to_owner(found)
    if found:
        print_line(
            SUPERVISOR_NAME,
            f"{len(found) - len(failed)} files were readable by other users of this machine and are no longer",
        )
    if failed:
        print_line(
            SUPERVISOR_NAME,
            f"{len(failed)} files are readable by other users of this machine ({failed[0]}): chmod -R go= on them",
        )


def _save_port(settings: Settings, print_line: PrintLine) -> None:
    """Other commands read it to name the same URLs; a full disk is no reason not to accept hooks."""
    try:
        replace_file(settings.data_dir / PORT_FILE_NAME, str(settings.port))
    except OSError as error:
        print_line(SUPERVISOR_NAME, f"{settings.data_dir}: {error.strerror}; starting all the same")
