"""The logging of every process: a sentence with ids, as text for people or as JSON, to a stream that is passed in.

Lines of other libraries have the same form. No line shows a value that could be personal data: a traceback has its
frames and the error's type, but the error's message only if the error is one of ours.
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

# The lowest level of other libraries, whatever ours is: below it some of them quote addresses and arguments.
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
# After these words Celery quotes the content of a message, and asyncio the arguments or the result of a call.
_CONTENT_MARKERS = (
    "The full contents of",
    "Can't decode message body",
    " in callback ",
    "\nfuture: ",
    "\nhandle: ",
    "\ntask: ",
)
_TRACEBACK_HEADER = "Traceback (most recent call last)"  # granian has it in the text of a line
_FRAMES = re.compile(r'(?m)^  File "[^"\n]+", line \d+, in \S+$')


def configure(level: str, log_format: str, stream: TextIO) -> None:
    """Set up logging: once per process, before the first line, and again in a child with another stream."""
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
    """Log errors that end a process or a thread like all others, without their message."""
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
    for name, lowest in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, lowest))


def _strip_contents(record: logging.LogRecord) -> bool:
    """Cut a line where it starts to quote a message. Of a traceback in it, keep the frames."""
    text = record.getMessage()
    positions = [at for marker in (*_CONTENT_MARKERS, _TRACEBACK_HEADER) if (at := text.find(marker)) >= 0]
    if positions:
        kept = text[: min(positions)].strip() or "a message could not be read"
        record.msg, record.args = "\n".join([kept, *_FRAMES.findall(text)]), ()
    return True


def _strip_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its frames and types."""
    error = _get_exception(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = format_traceback(error)
    return event


def format_traceback(error: BaseException) -> str:
    """Return a traceback without the values in the errors' messages."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{frames}{_last_line(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
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
    """Log an error that no caller can catch: it was raised while an object was destroyed."""
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
