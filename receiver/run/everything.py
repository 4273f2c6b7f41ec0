"""`cratewire run`: the broker, the migrations and every process of the Procfile on this machine, in the foreground."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pipeline.embedded import BROKER, KEEPER, Embedded, command, embedded_in, wait_until_up, with_free_port
from pipeline.errors import CratewireError, Unreachable
from pipeline.kept import keep
from pipeline.settings import LAST_PORT, Settings
from receiver.flower import USER
from receiver.run.child import Child
from receiver.run.output import Say, printer
from receiver.run.premises import held, require_free_ports
from receiver.run.processes import PROCFILE, child_environment, shell
from receiver.run.supervisor import US, Supervisor

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Return when a signal has stopped everything; raise CratewireError if it cannot begin."""
    say = printer([US, KEEPER, BROKER, "migrate", *PROCFILE])
    environment = child_environment(settings, environ)
    with contextlib.ExitStack() as until_the_end:
        until_the_end.enter_context(held(settings.data_dir))
        require_free_ports(settings)
        count = until_the_end.enter_context(_signals())
        supervisor = until_the_end.enter_context(_supervisor(say, count))
        keep(settings.data_dir / LAST_PORT, str(settings.port))
        for name in _embedded(settings):
            _start_valkey(supervisor, settings, name, environment, stopping=lambda: count() > 0)
        _migrate(environment, say)
        for name, line in PROCFILE.items():
            supervisor.add(Child(name, shell(line), environment))
        probe = [sys.executable, "-m", "receiver.run.probe"]
        supervisor.add(Child("probe", probe, environment, once=lambda: say(US, ready_line(settings, environ))))
        supervisor.run(stopping=lambda: count() > 0)


def ready_line(settings: Settings, environ: Mapping[str, str]) -> str:
    """What a reader, or a program that started us, waits for."""
    own = environ.get("CRATEWIRE_FLOWER_PASSWORD")
    password = "CRATEWIRE_FLOWER_PASSWORD" if own else settings.data_dir / "flower_password"
    return (
        f"Ready: web http://127.0.0.1:{settings.port}, flower http://127.0.0.1:{settings.flower_port} "
        f"(user {USER}, password in {password}), data {settings.data_dir}"
    )


@contextmanager
def _signals() -> Iterator[Callable[[], int]]:
    """How often we were asked to stop: once stops cleanly, twice kills."""
    asked: list[int] = []
    before = {signum: signal.signal(signum, lambda got, _frame: asked.append(got)) for signum in SIGNALS}
    try:
        yield lambda: len(asked)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def _supervisor(say: Say, count: Callable[[], int]) -> Iterator[Supervisor]:
    """A supervisor with its guard; whatever happens, its children are stopped."""
    guard_command = [sys.executable, "-m", "receiver.run.guard"]
    with subprocess.Popen(guard_command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        if guard.stdin is None:
            raise CratewireError("the guard has no input")
        supervisor = Supervisor(say, guard.stdin)
        try:
            yield supervisor
        finally:
            say(US, "stopping")
            supervisor.stop(hurry=lambda: count() > 1)
            say(US, "stopped")


def _embedded(settings: Settings) -> list[str]:
    wanted = {KEEPER: settings.embedded_redis, BROKER: settings.embedded_broker}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _start_valkey(
    supervisor: Supervisor,
    settings: Settings,
    name: str,
    environment: Mapping[str, str],
    stopping: Callable[[], bool],
) -> None:
    server: Embedded = with_free_port(embedded_in(settings.data_dir, name))
    child = Child(name, command(server, settings.valkey_maxmemory if name == KEEPER else None), environment)
    supervisor.add(child)

    def alive() -> bool:
        supervisor.pass_on()
        return not child.ended() and not stopping()

    try:
        wait_until_up(server, alive)
    except Unreachable:
        if not stopping():
            raise


def _migrate(environment: Mapping[str, str], say: Say) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "receiver.cli", "migrate"],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        say("migrate", line)
    if done.returncode != 0:
        raise CratewireError("the database could not be migrated")
