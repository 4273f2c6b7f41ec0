"""Template filters for times, numbers and states."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import ConnectionRow, format_connection_name
from pipeline.ledger.queries import ConnectionCounts, PlatformState
from pipeline.regulations.progress import FORGET_STATES
from receiver.audit_view import describe_about
from receiver.consent_view import describe_example
from receiver.pages.db_session import get_context

_MICROS = 1_000_000
_MILLIS = 1_000
_DAY = 86_400  # s
_UNITS = ((_DAY, "day"), (3600, "h"), (60, "min"), (1, "s"))
_SHORT_S = 10  # below this, a span is shown with its fractions
_NOW_S = 1  # below this, an event is "just now"
_MIN_SHOWN_PERCENT = 0.01
MAX_SHOWN_CHARS = 80  # of a name in a line
# Characters that a page must not act on: those without a sign, and those that turn the direction of writing.
_VISIBLE = {
    code: f"\\u{code:04x}"
    for code in (
        *range(9),
        *range(11, 32),
        *range(0x7F, 0xA0),
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
}


def moment(at: int | None) -> str:
    """Format a time in µs as a <time> element, in UTC."""
    if at is None:
        return ""
    when = datetime.fromtimestamp(at / _MICROS, UTC)
    iso, text = when.isoformat(timespec="seconds"), when.strftime("%Y-%m-%d %H:%M:%S")
    return Markup('<time datetime="{}">{} UTC</time>').format(iso, text)


def clock(at: int) -> str:
    """Format a time in µs as a <time> element with the hour only; the rest stands in its title."""
    when = datetime.fromtimestamp(at / _MICROS, UTC)
    iso, title = when.isoformat(timespec="milliseconds"), when.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, title, when.strftime("%H:%M:%S"))


def ago(at: int | None) -> str:
    """Format a time in µs as a <time> element that says how long ago it is, or how far away: `12 s ago`.

    Its title has the exact time. `times.js` keeps both up to date, in the reader's time zone.
    """
    if at is None:
        return ""
    when = datetime.fromtimestamp(at / _MICROS, UTC)
    iso, title = when.isoformat(timespec="seconds"), when.strftime("%Y-%m-%d %H:%M:%S UTC")
    text = describe_distance((get_context().now() - at) / _MICROS)
    return Markup('<time class="ago" datetime="{}" title="{}">{}</time>').format(iso, title, text)


def describe_distance(seconds: float) -> str:
    """Say how far a time is away, in its largest unit: `12 s ago`, `in 3 h`. `times.js` says the same."""
    whole = max(1, round(abs(seconds)))
    size, unit = next((size, unit) for size, unit in _UNITS if whole >= size)
    text = f"{whole // size} {unit}{'s' if unit == 'day' and whole // size > 1 else ''}"
    if abs(seconds) < _NOW_S:
        return "just now"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def span(span_us: int) -> str:
    """Format a span of time in µs: `0.3 ms`, `12 ms`, `3.4 s`, `3 min 20 s`."""
    if span_us < 10 * _MILLIS:
        return f"{span_us / _MILLIS:.1f} ms"
    if span_us < _MICROS:
        return f"{span_us / _MILLIS:.0f} ms"
    return f"{span_us / _MICROS:.1f} s" if span_us < 10 * _MICROS else duration(span_us / _MICROS)


def as_json(value: object) -> str:
    """Format a value as indented JSON, with characters as they are."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def date(day: int) -> str:
    """Format a day, counted since the epoch, as a <time> element."""
    iso = datetime.fromtimestamp(day * _DAY, UTC).date().isoformat()
    return Markup('<time datetime="{}">{}</time>').format(iso, iso)


def day(at: int | None) -> str:
    """Format the day of a time in µs, in UTC, as a <time> element."""
    return "" if at is None else date(at // (_DAY * _MICROS))


def minute(at: int) -> str:
    """Format a time in µs as fields for times take it: `2026-11-30T03:12`, in UTC."""
    return datetime.fromtimestamp(at / _MICROS, UTC).strftime("%Y-%m-%dT%H:%M")


def seconds(span_s: float) -> str:
    """Format a span of seconds: `0.4 s`, `12 s`, `3 min 20 s`."""
    return f"{span_s:g} s" if span_s < _SHORT_S else duration(span_s)


def share(rate: float) -> str:
    """Format a rate: `1.64 %`. A rate above zero is never shown as zero."""
    percent = 100 * rate
    return f"{percent:.2f} %" if not percent or percent >= _MIN_SHOWN_PERCENT else f"below {_MIN_SHOWN_PERCENT} %"


def number(value: int) -> str:
    """Format a number: `12,345`."""
    return f"{value:,}"


def words(name: str) -> str:
    """Format an identifier: `no_connection` becomes `no connection`."""
    return name.replace("_", " ")


def shorten(text: str, length: int = MAX_SHOWN_CHARS) -> str:
    """Cut a text that a sender has made up, and show its control characters by their numbers."""
    return show_controls(text if len(text) <= length else f"{text[: length - 1]}…")


def show_controls(text: str) -> str:
    """Show control characters, also those that turn the direction of writing, by their numbers."""
    return text.translate(_VISIBLE)


def duration(seconds: float) -> str:
    """Format a duration: `3 min 20 s`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def sentence(text: str) -> str:
    """Format a reason from the ledger as a sentence, without HTTP requests."""
    said = reason(text)
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


_REQUEST_PREFIX = re.compile(r"^(?:[a-z/]+: )?(?:GET|POST|PUT|PATCH|DELETE) \S+: ")
_STATUS_ANSWER = re.compile(r"^answered (\d{3})")


def reason(text: str) -> str:
    """Remove requests to a store's API from a reason: `Cratejoy answered 503`."""
    parts = text.split("; ")
    own = [part for part in parts if not _REQUEST_PREFIX.match(part)]
    return "; ".join(own or dict.fromkeys(map(_describe_request_error, parts)))


def _describe_request_error(text: str) -> str:
    said = _REQUEST_PREFIX.sub("", text)
    return f"Cratejoy {said}" if _STATUS_ANSWER.match(said) else f"Cratejoy cannot be reached: {said}"


def platform(name: str) -> str:
    """Return the title of a platform."""
    known = DESTINATIONS.get(name)
    return known.title if known else name


def web_page(name: str) -> str:
    """Return the address where people look at a platform; "" if it is not known."""
    known = DESTINATIONS.get(name)
    return known.web_page if known else ""


def connection(row: ConnectionCounts | ConnectionRow | PlatformState) -> str:
    """Return what people see of a connection: its title, or else its platform and label."""
    return format_connection_name(platform(row.platform), row.label, row.title)


MESSAGE_STATES = {"pending": "waits", "sending": "being sent", "dead": "refused"}


def message_state(status: str) -> str:
    """Return the state of a message in words: `waits`."""
    return MESSAGE_STATES.get(status, status)


def forgotten(state: str) -> str:
    """Return whether a platform has forgotten a person: `waiting`."""
    return FORGET_STATES[state]


def add_filters(app: Flask) -> None:
    """Register the filters."""
    app.add_template_filter(moment)
    app.add_template_filter(clock)
    app.add_template_filter(ago)
    app.add_template_filter(span)
    app.add_template_filter(as_json)
    app.add_template_filter(date)
    app.add_template_filter(day)
    app.add_template_filter(minute)
    app.add_template_filter(seconds)
    app.add_template_filter(share)
    app.add_template_filter(number)
    app.add_template_filter(words)
    app.add_template_filter(shorten)
    app.add_template_filter(show_controls)
    app.add_template_filter(duration)
    app.add_template_filter(sentence)
    app.add_template_filter(platform)
    app.add_template_filter(web_page)
    app.add_template_filter(connection)
    app.add_template_filter(describe_example, "example")
    app.add_template_filter(describe_about, "about")
    app.add_template_filter(forgotten)
    app.add_template_filter(message_state)
