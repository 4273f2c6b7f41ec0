"""How every process logs: a sentence with ids, as text for humans or as JSON, to a stream that is handed in.

Lines of other libraries come in the same form. Nothing here shows a value that could be somebody's: a traceback has
its frames and the kind of the error, but an error's text only if the error is one of ours.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import warnings
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from pipeline.core.errors import CratewireError

# Others are heard from this level on, whatever ours is: below it some of them quote addresses and arguments.
_LIBRARY_LEVELS = {
    "alembic": logging.WARNING,
    "amqp": logging.WARNING,
    "celery": logging.WARNING,
    "kombu": logging.WARNING,
    "redbeat": logging.WARNING,
    "redis": logging.WARNING,
    "sqlalchemy": logging.ERROR,
    "urllib3": logging.ERROR,  # its warnings quote URLs, and platforms have identifiers in theirs
    "werkzeug": logging.ERROR,
}
# From here on Celery shows what a message holds, and asyncio what a call was given or came to.
_CONTENT_MARKERS = (
    "The full contents of",
    "Can't decode message body",
    " in callback ",
    "\nfuture: ",
    "\nhandle: ",
    "\ntask: ",
)
_TRACEBACK_HEADER = "Traceback (most recent call last)"  # in the text of a line: granian's
_FRAMES = re.compile(r'(?m)^  File "[^"\n]+", line \d+, in \S+$')


def configure(level: str, log_format: str, stream: TextIO) -> None:
    """Once per process, before the first line; again in a child whose stream is another."""
    number = logging.getLevelNamesMapping()[level]
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _strip_values,
    ]
    renderer = _renderer(log_format, stream)
    structlog.configure(
        processors=[*common, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,  # loggers are made when modules are imported, which may be before this
    )
    _configure_libraries(number, [structlog.stdlib.ExtraAdder(), *common], renderer, stream)


def install_exception_hooks() -> None:
    """Let errors that end a process or a thread be told like all others, instead of with their text."""
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_unraisable(args.exc_value)
    warnings.showwarning = _log_warning


def _renderer(log_format: str, stream: TextIO) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())


def _configure_libraries(level: int, chain: list[Processor], renderer: Processor, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(_strip_contents)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, least in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, least))


def _strip_contents(record: logging.LogRecord) -> bool:
    """Cut a line where it begins to quote a message; of a traceback in it leave the frames."""
    text = record.getMessage()
    places = [at for quote in (*_CONTENT_MARKERS, _TRACEBACK_HEADER) if (at := text.find(quote)) >= 0]
    if places:
        kept = text[: min(places)].strip() or "a message could not be read"
        record.msg, record.args = "\n".join([kept, *_FRAMES.findall(text)]), ()
    return True


def _strip_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its frames and kinds."""
    error = _get_exception(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = format_traceback(error)
    return event


def format_traceback(error: BaseException) -> str:
    """A traceback without the values in the errors' texts."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        frames = "".join(traceback.format_tb(seen.__traceback__))
        parts.append(f"{frames}{_last_line(seen)}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n\nafter which:\n".join(reversed(parts))


def _last_line(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{kind}: {error}" if isinstance(error, CratewireError) else kind


def _get_exception(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    structlog.get_logger(__name__).critical("ended by an error", exc_info=error)


def _log_unraisable(error: BaseException | None) -> None:
    """Python could raise it to nobody: it came while something was thrown away."""
    structlog.get_logger(__name__).error("an error was ignored", exc_info=error)


def _log_warning(
    message: Warning | str,  # noqa: ARG001 it may quote a value
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    structlog.get_logger(__name__).warning("a library warns", kind=category.__name__, at=f"{filename}:{lineno}")
