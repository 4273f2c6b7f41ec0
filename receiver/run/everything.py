"""`cratewire run`: the Valkeys, the migration and every process of the Procfile on this machine, in the foreground."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pipeline.embedded import BROKER, KEEPER, Embedded, command, embedded_in, with_free_port
from pipeline.errors import CratewireError
from pipeline.kept import keep
from pipeline.memory import available, kills
from pipeline.private_files import close_to_others, open_to_others
from pipeline.settings import LAST_PORT, Settings
from receiver.flower import USER
from receiver.run.child import Child
from receiver.run.output import Say, printer
from receiver.run.premises import held, require_free_ports
from receiver.run.processes import PROCFILE, child_environment, shell
from receiver.run.room import Plan, plan
from receiver.run.supervisor import US, Final, Supervisor

MIGRATE = [sys.executable, "-m", "receiver.cli", "migrate", "--wait"]
REFUSED = 1  # how it ends if waiting does not help
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Return when a signal has stopped everything; raise CratewireError if it cannot begin.

    Web comes first and keeps hooks, whatever else is away. The others follow when the database has been migrated.
    """
    say = printer([US, KEEPER, BROKER, "migrate", *PROCFILE])
    chosen = plan(settings.workers, available())
    environment = child_environment(settings, environ) | {"CRATEWIRE_WORKERS": str(chosen.workers)}
    with contextlib.ExitStack() as until_the_end:
        until_the_end.enter_context(held(settings.data_dir))
        require_free_ports(settings)
        _close_to_others(settings, say)
        count = until_the_end.enter_context(_signals())
        supervisor = until_the_end.enter_context(_supervisor(say, count))
        if chosen.says:
            say(US, chosen.says)
        _keep_port(settings, say)
        for name in _embedded(settings):
            supervisor.add(_valkey(settings, name, environment))
        supervisor.add(Child("web", shell(PROCFILE["web"]), environment))

        def begin_the_others() -> None:
            for name, line in PROCFILE.items():
                if name != "web" and (chosen.flower or name != "flower"):
                    supervisor.add(Child(name, shell(line), environment))
            probe = [sys.executable, "-m", "receiver.run.probe"]
            supervisor.add(Child("probe", probe, environment, once=lambda: _say_ready(say, settings, environ, chosen)))

        supervisor.add(Child("migrate", MIGRATE, environment, once=begin_the_others, final_code=REFUSED))
        try:
            supervisor.run(stopping=lambda: count() > 0)
        except Final:
            raise CratewireError("the database cannot be used, and waiting does not change it: see above") from None


def _say_ready(say: Say, settings: Settings, environ: Mapping[str, str], chosen: Plan) -> None:
    say(US, ready_line(settings, environ, flower=chosen.flower))
    say(US, f"To connect a store or see your stores, open {settings.public_url}/")


def ready_line(settings: Settings, environ: Mapping[str, str], *, flower: bool = True) -> str:
    """What a reader, or a program that started us, waits for."""
    own = environ.get("CRATEWIRE_FLOWER_PASSWORD")
    password = "CRATEWIRE_FLOWER_PASSWORD" if own else settings.data_dir / "flower_password"
    where = (
        f"http://127.0.0.1:{settings.flower_port} (user {USER}, password in {password})" if flower else "not started"
    )
    return f"Ready: web http://127.0.0.1:{settings.port}, flower {where}, data {settings.data_dir}"


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
        supervisor = Supervisor(say, guard.stdin, kills=kills)
        try:
            yield supervisor
        finally:
            say(US, "stopping")
            supervisor.stop(hurry=lambda: count() > 1)
            say(US, "stopped")


def _embedded(settings: Settings) -> list[str]:
    wanted = {KEEPER: settings.embedded_redis, BROKER: settings.embedded_broker}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _valkey(settings: Settings, name: str, environment: Mapping[str, str]) -> Child:
    server: Embedded = with_free_port(embedded_in(settings.data_dir, name))
    return Child(name, command(server, settings.valkey_maxmemory if name == KEEPER else None), environment)


def _close_to_others(settings: Settings, say: Say) -> None:
    """A data directory that was made beforehand, or by an older version, may be readable by every user."""
    found = open_to_others(settings.data_dir, settings.database_url)
    failed = close_to_others(found)
    if found:
        say(US, f"{len(found) - len(failed)} files were readable by other users of this machine and are no longer")
    if failed:
        say(US, f"{len(failed)} files are readable by other users of this machine ({failed[0]}): chmod -R go= on them")


def _keep_port(settings: Settings, say: Say) -> None:
    """Other commands read it to name the same URLs; a full disk is no reason not to accept hooks."""
    try:
        keep(settings.data_dir / LAST_PORT, str(settings.port))
    except OSError as error:
        say(US, f"{settings.data_dir}: {error.strerror}; starting all the same")
