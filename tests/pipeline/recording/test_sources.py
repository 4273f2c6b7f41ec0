"""Which values of `source` a store has shown: each is written once, whatever else its hooks say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from pipeline.ledger.schema.consent import StoreSource
from tests.builders import order


@contextmanager
def writes_of_sources(engine: Engine) -> Iterator[list[str]]:
    """The statements that write `store_sources` meanwhile."""
    found: list[str] = []

    def watch(_conn, _cursor, statement, *_):
        if statement.startswith("INSERT INTO store_sources"):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", watch)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", watch)


def test_a_value_is_noted_with_its_first_example(recorder):
    recorder.record_one("order_new", order(id=1, source=2))
    recorder.record_one("order_new", order(id=2, source=2))

    [row] = recorder.rows(StoreSource)
    assert (row.value, row.examples[0]["id"]) == ("2", 1)


def test_a_value_that_is_known_is_not_written_again(recorder):
    recorder.record_one("order_new", order(id=1, source=2))

    with writes_of_sources(recorder.engine) as written:
        recorder.record_one("order_new", order(id=2, source=2))
        assert written == []
        recorder.record_one("order_new", order(id=3, source=3))

    assert len(written) == 1
    assert [row.value for row in recorder.rows(StoreSource)] == ["2", "3"]
