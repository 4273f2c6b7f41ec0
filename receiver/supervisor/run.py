"""`cratewire run`: the Valkeys, the migration and every process of the Procfile on this machine, in the foreground."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

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
from receiver.supervisor.command_forks import CommandForks
from receiver.supervisor.forked import CAN_FORK, FIRST_FREE_FD
from receiver.supervisor.locks import hold_data_dir, require_free_ports
from receiver.supervisor.memory_plan import ProcessPlan, choose_workers, plan_processes
from receiver.supervisor.output import PrintLine, make_printer
from receiver.supervisor.preload import preload
from receiver.supervisor.process import Child
from receiver.supervisor.procfile import FORKED, PROCFILE, build_child_environment, build_shell_command, expand_line
from receiver.supervisor.supervisor import SUPERVISOR_NAME, FatalExit, Supervisor

MIGRATE_COMMAND = [sys.executable, "-m", "receiver.cli", "migrate", "--wait"]
LATER = ("backfill", "beat")  # without forks: when web and the worker handle hooks
REFUSED_EXIT_CODE = 1  # the exit code of `migrate` if waiting does not help
MAX_WAIT_FOR_WORKER_S = 20.0  # then the others start, whatever keeps the worker from being ready
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run until a signal has stopped everything. Raises CratewireError if it cannot start.

    Web starts first and stores hooks whatever else is missing. The worker starts after the database has been migrated,
    and the others when hooks are handled: all at once would share the processors and be ready later.
    """
    print_line = make_printer([SUPERVISOR_NAME, INBOX_SERVER, BROKER, "migrate", *PROCFILE])
    workers = settings.workers if environ.get("CRATEWIRE_WORKERS") else choose_workers(settings.workers)
    plan = plan_processes(workers, get_available_bytes())
    environment = build_child_environment(settings, environ) | {"CRATEWIRE_WORKERS": str(plan.workers)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(hold_data_dir(settings.data_dir))
        require_free_ports(settings)
        _close_files_to_others(settings, print_line)
        count_stop_signals = stack.enter_context(_count_stop_signals())
        supervisor = stack.enter_context(_open_supervisor(print_line, count_stop_signals))
        if plan.warning:
            print_line(SUPERVISOR_NAME, plan.warning)
        _save_port(settings, print_line)
        for name in _list_embedded_servers(settings):
            supervisor.add(_build_valkey_child(settings, name, environment))
        print_ready = partial(_print_ready, print_line, settings, environ, plan)
        _start_processes(supervisor, plan, settings, environment, print_ready)
        try:
            supervisor.run(should_stop=lambda: count_stop_signals() > 0)
        except FatalExit:
            raise CratewireError("the database cannot be used, and waiting will not help: see above") from None


def _start_processes(
    supervisor: Supervisor,
    plan: ProcessPlan,
    settings: Settings,
    environment: Mapping[str, str],
    print_ready: Callable[[], None],
) -> None:
    """Start web and the migration now, and each of the others when what it needs is there."""

    def report_ready() -> None:
        supervisor.start_waiting()
        print_ready()

    def start_remaining() -> None:
        if CAN_FORK:
            _add_workers(supervisor, environment)
        else:
            supervisor.add(_build_child("worker", environment))
        probe = [sys.executable, "-m", "receiver.supervisor.readiness"]
        supervisor.add(Child("probe", probe, environment, is_forked=CAN_FORK, on_success=report_ready))
        for name in () if CAN_FORK else LATER:
            supervisor.add_later(_build_child(name, environment), MAX_WAIT_FOR_WORKER_S)
        if plan.runs_flower:
            _add_flower(supervisor, settings, environment)

    if CAN_FORK:
        preload()
    supervisor.add(_build_child("web", environment))
    if CAN_FORK:
        _serve_commands(supervisor, settings)
    supervisor.add(
        Child(
            "migrate",
            MIGRATE_COMMAND,
            environment,
            is_forked=CAN_FORK,
            on_success=start_remaining,
            fatal_exit_code=REFUSED_EXIT_CODE,
        )
    )


def _serve_commands(supervisor: Supervisor, settings: Settings) -> None:
    """Let commands run in forks of this process; without that they take longer."""

    def run_command(arguments: Sequence[str], program: str) -> None:
        from receiver.cli import main  # noqa: PLC0415  it imports this module

        main.main(arguments, program)

    with contextlib.suppress(OSError):
        supervisor.serve_commands(CommandForks(settings.data_dir, run_command, supervisor.notify_reaper))


def _print_ready(
    print_line: PrintLine, settings: Settings, environ: Mapping[str, str], process_plan: ProcessPlan
) -> None:
    print_line(SUPERVISOR_NAME, format_ready_line(settings, environ, runs_flower=process_plan.runs_flower))
    print_line(SUPERVISOR_NAME, f"To connect a store or see your stores, open {settings.public_url}/")


def format_ready_line(settings: Settings, environ: Mapping[str, str], *, runs_flower: bool = True) -> str:
    """Return the line that says that everything is up; programs that start `cratewire run` wait for it."""
    own = environ.get("CRATEWIRE_FLOWER_PASSWORD")
    password = "CRATEWIRE_FLOWER_PASSWORD" if own else settings.data_dir / "flower_password"
    where = (
        f"http://127.0.0.1:{settings.flower_port} (user {FLOWER_USER}, password in {password})"
        if runs_flower
        else "not started"
    )
    return f"Ready: web http://127.0.0.1:{settings.port}, flower {where}, data {settings.data_dir}"


@contextmanager
def _count_stop_signals() -> Iterator[Callable[[], int]]:
    """Yield a function that counts stop signals: one stops cleanly, two kill."""
    signals: list[int] = []
    handlers = {signum: signal.signal(signum, lambda got, _frame: signals.append(got)) for signum in STOP_SIGNALS}
    try:
        yield lambda: len(signals)
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


@contextmanager
def _open_supervisor(print_line: PrintLine, count_stop_signals: Callable[[], int]) -> Iterator[Supervisor]:
    """Open a supervisor with its reaper; its children are stopped in any case."""
    reaper_command = [sys.executable, "-m", "receiver.supervisor.reaper"]
    with subprocess.Popen(reaper_command, stdin=subprocess.PIPE, start_new_session=True) as reaper:
        if reaper.stdin is None:
            raise CratewireError("the reaper has no input")
        supervisor = Supervisor(print_line, reaper.stdin, kills=count_oom_kills)
        try:
            yield supervisor
        finally:
            print_line(SUPERVISOR_NAME, "stopping")
            supervisor.stop(should_kill=lambda: count_stop_signals() > 1)
            print_line(SUPERVISOR_NAME, "stopped")


def _list_embedded_servers(settings: Settings) -> list[str]:
    wanted = {INBOX_SERVER: settings.embedded_redis, BROKER: settings.embedded_broker}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _build_child(name: str, environment: Mapping[str, str]) -> Child:
    """A process of the Procfile: forked, or executed where that is not possible."""
    if not CAN_FORK:
        return Child(name, build_shell_command(PROCFILE[name]), environment)
    return Child(name, expand_line(FORKED[name], environment), environment, is_forked=True)


def _add_workers(supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    """Start the worker, which sends the periodic tasks too, and starts backfill when there is something for it."""
    worker, backfill = _build_child("worker", environment), _build_child("backfill", environment)
    backfill.waker, worker.wakes = socket.socketpair()
    supervisor.add(worker)
    supervisor.add_on_wake(backfill)


def _add_flower(supervisor: Supervisor, settings: Settings, environment: Mapping[str, str]) -> None:
    """Start flower when its address is first opened, or with the others."""
    child = _build_child("flower", environment)
    if child.is_forked:
        family = socket.AF_INET6 if ":" in settings.flower_host else socket.AF_INET
        child.listener = socket.create_server((settings.flower_host, settings.flower_port), family=family)
        child.command = [*child.command, str(FIRST_FREE_FD)]
    if settings.flower_at_start or not child.is_forked:
        supervisor.add_later(child, MAX_WAIT_FOR_WORKER_S)
    else:
        supervisor.add_on_connection(child)


def _build_valkey_child(settings: Settings, name: str, environment: Mapping[str, str]) -> Child:
    server: EmbeddedValkey = with_free_port(load_embedded_valkey(settings.data_dir, name))
    return Child(name, build_command(server, settings.valkey_maxmemory if name == INBOX_SERVER else None), environment)


def _close_files_to_others(settings: Settings, print_line: PrintLine) -> None:
    """Restrict files that other users can read: the directory may be older, or made by someone else."""
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
    """Save the port, so that other commands print the same URLs. A full disk is only reported: hooks are accepted."""
    try:
        replace_file(settings.data_dir / PORT_FILE_NAME, str(settings.port))
    except OSError as error:
        print_line(SUPERVISOR_NAME, f"{settings.data_dir}: {error.strerror}; starting anyway")
