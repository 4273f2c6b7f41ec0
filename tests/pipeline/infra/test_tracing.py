"""What is traced if tracing is on, what spans never contain, and that nothing happens otherwise."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest
import responses
from celery import Celery
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline.core.errors import Misconfigured
from pipeline.infra import tracing
from pipeline.infra.http.client import HTTPClient
from tasks.worker.base import RedactedTask, TaskFailed
from tests.receiver.hook_servers import TOKEN, FakeHookSink, HookClient, as_wsgi, get_server, make_app

app = Celery("test", task_cls=RedactedTask, set_as_current=False)


@app.task(name="hooks.test", shared=False)
def link(error: Exception | None = None) -> None:
    if error is not None:
        raise error


@app.task(name="hooks.sweep", shared=False)
def sweep() -> None:
    pass


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    tracing.start_with(SimpleSpanProcessor(exporter), "test")
    yield exporter.get_finished_spans
    tracing.stop()


def test_without_a_collector_nothing_is_made():
    tracing.start(None, "test")

    with tracing.span("anything") as set_attribute:
        set_attribute("way", "inbox")

    assert tracing._tracing.tracer is None


def test_an_acknowledgement_is_traced_with_its_receipt(spans):
    sink = FakeHookSink()
    app = make_app(sink)
    client = HookClient(sink, as_wsgi(get_server(app)), app.extensions["cratewire"].rules)
    client.send(body=b'{"email": "marian@example.com"}')

    (span,) = spans()
    assert span.name == "acknowledge"
    assert dict(span.attributes) == {"cratewire.receipt": sink.hooks[0].receipt, "cratewire.event": "order_new"}
    assert TOKEN not in span.to_json()


def test_a_link_is_traced_and_a_sweep_is_not(spans):
    link()
    sweep()

    assert [span.name for span in spans()] == ["hooks.test"]


def test_all_links_of_a_chain_are_one_trace(spans):
    chain = str(uuid.uuid4())
    for name in ("hooks.decode", "hooks.validate"):
        with tracing.span(name, chain):
            pass

    first, second = spans()
    assert first.context.trace_id == second.context.trace_id == uuid.UUID(chain).int
    assert first.context.span_id != second.context.span_id


def test_a_span_within_another_belongs_to_it(spans):
    with tracing.span("outer"), tracing.span("inner"):
        pass

    inner, outer = spans()
    assert inner.parent.span_id == outer.context.span_id


def test_an_error_is_recorded_by_its_type(spans):
    with pytest.raises(TaskFailed):
        link(KeyError("marian@example.com"))

    (span,) = spans()
    assert span.status.description == "TaskFailed"
    assert "marian" not in span.to_json()


@responses.activate
def test_a_call_is_traced_without_its_address(spans):
    responses.put("https://track.example.com/customers/marian@example.com", status=429)

    HTTPClient().call("PUT", "https://track.example.com/customers/marian@example.com", body=b"{}")

    (span,) = spans()
    assert (span.name, dict(span.attributes)) == ("call", {"cratewire.method": "PUT", "cratewire.status": 429})
    assert "marian" not in span.to_json()


@responses.activate
def test_a_call_without_an_answer_says_why(spans):
    HTTPClient().call("GET", "https://track.example.com/")

    assert isinstance(spans()[0].attributes["cratewire.status"], str)


def test_a_collector_is_spoken_to_as_opentelemetry_speaks():
    tracing.start("http://127.0.0.1:9/v1/traces", "test")
    traced = tracing._tracing.tracer is not None
    tracing.stop()

    assert traced


def test_tracing_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(Misconfigured, match=r"cratewire\[otel\]"):
        tracing.start("http://127.0.0.1:9/v1/traces", "test")


def test_without_the_extra_everything_else_works():
    program = "import sys; sys.modules['opentelemetry'] = None\nimport tasks.worker.base, receiver.serve"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
