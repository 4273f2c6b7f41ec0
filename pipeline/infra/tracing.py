"""OpenTelemetry spans: for an acknowledgement, each link and each call. Off unless a collector is configured.

Spans carry ids and counts, and of an error only its type. All links of one chain are one trace with the chain's id.
OpenTelemetry is an extra, imported only if tracing is on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import Misconfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

Value = str | int | float | bool
SetAttribute = Callable[[str, Value], None]  # adds an attribute to the span


class _Tracing:
    """This process's tracer and provider; None while tracing is off."""

    def __init__(self) -> None:
        self.tracer: Any = None
        self.provider: Any = None


_tracing = _Tracing()


def start(url: str | None, service: str) -> None:
    """Send this process's spans to the collector at `url`; None leaves tracing off. Raises Misconfigured."""
    if url is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise Misconfigured("CRATEWIRE_TRACES_URL needs OpenTelemetry: install cratewire[otel]") from None
    start_with(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)), service)


def start_with(processor: SpanProcessor, service: str) -> None:
    """Pass every span to this processor."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    _tracing.provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    _tracing.provider.add_span_processor(processor)
    _tracing.tracer = _tracing.provider.get_tracer("cratewire")


def stop() -> None:
    """Send the remaining spans and turn tracing off."""
    if _tracing.provider is not None:
        _tracing.provider.shutdown()
    _tracing.tracer = _tracing.provider = None


def span(name: str, chain: str | None = None, **attributes: Value) -> AbstractContextManager[SetAttribute]:
    """Trace the block as a span. `chain` is the id of the chain that it belongs to."""
    return _NO_SPAN if _tracing.tracer is None else _span(name, chain, attributes)


def _ignore_attribute(_name: str, _value: Value) -> None:
    """Set an attribute of a span while tracing is off."""


_NO_SPAN: AbstractContextManager[SetAttribute] = nullcontext(_ignore_attribute)


@contextmanager
def _span(name: str, chain: str | None, attributes: dict[str, Value]) -> Iterator[SetAttribute]:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 an extra

    named = {f"cratewire.{key}": value for key, value in attributes.items()}
    # Without OpenTelemetry's recording of exceptions, which would include their message.
    with _tracing.tracer.start_as_current_span(
        name, context=_chain_context(chain), attributes=named, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield lambda key, value: current.set_attribute(f"cratewire.{key}", value)
        except BaseException as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _chain_context(chain: str | None) -> Any:
    """Return a chain's context: a parent made from its id, so that no message has to carry one."""
    from opentelemetry import trace  # noqa: PLC0415 an extra

    if chain is None:
        return None  # the parent is the current span, if any
    number = uuid.UUID(chain).int
    parent = trace.SpanContext(number, number & (2**64 - 1) or 1, is_remote=True, trace_flags=trace.TraceFlags(1))
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))
