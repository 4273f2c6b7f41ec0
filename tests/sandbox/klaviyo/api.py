"""Calls Klaviyo's API of the sandbox, and writes its documents."""

from __future__ import annotations

import json

KEY = "pk_a_key"
NOW_S = 1_772_470_000.0
NOW = "2026-03-02T16:46:40+00:00"
REVISION = "2026-07-15"
JSON_API = "application/vnd.api+json"


class Api:
    """Calls with a key and a revision; `changed` headers replace these, and None removes one."""

    def __init__(self, client):
        self.client = client

    def call(self, method, path, document=None, /, **changed):
        headers = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": REVISION, "Content-Type": JSON_API}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        body = document if isinstance(document, bytes | None) else json.dumps(document).encode()
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.client.open(f"/api/{path}", method=method, headers=sent, data=body)

    def get(self, path, **changed):
        return self.call("GET", path, **changed)

    def post(self, path, document, **changed):
        return self.call("POST", path, document, **changed)

    def control(self, path, document=None):
        if document is None:
            return self.client.get(f"/_sandbox/{path}").json
        return self.client.post(f"/_sandbox/{path}", json=document).json

    def import_profile(self, meta=None, **attributes):
        return self.post("profile-import", profile(meta=meta, **attributes))

    def people(self):
        return self.control("people")


def profile(meta=None, **attributes):
    """A document of one profile."""
    data = {"type": "profile", "attributes": attributes}
    return {"data": data if meta is None else {**data, "meta": meta}}


def event_attributes(unique_id="1", metric="Placed Order", **changed):
    """An event without its profile."""
    named = {"metric": {"data": {"type": "metric", "attributes": {"name": metric}}}}
    attributes = {**named, "properties": {"plan": "Small"}, "time": NOW, "unique_id": unique_id, **changed}
    return {name: value for name, value in attributes.items() if value is not None}


def event(unique_id="1", who=None, **changed):
    """A document of one event."""
    person = profile(**(who or {"email": "alice@example.com"}))
    return {"data": {"type": "event", "attributes": {**event_attributes(unique_id, **changed), "profile": person}}}


def bulk_events(*events, email="alice@example.com"):
    """A document of many events, each with its profile."""
    entries = [
        {
            "type": "event-bulk-create",
            "attributes": {"profile": profile(email=email), "events": {"data": [{"type": "event", "attributes": one}]}},
        }
        for one in events
    ]
    return job("event-bulk-create-job", **{"events-bulk-create": {"data": entries}})


def job(kind, **attributes):
    """A document of a job."""
    return {"data": {"type": kind, "attributes": attributes}}


def profiles_job(kind, *profiles, **attributes):
    """A document of a job for these profiles' attributes."""
    return job(kind, profiles={"data": [profile(**one)["data"] for one in profiles]}, **attributes)


def consent(email, **consented):
    """A profile that is subscribed."""
    marketing = {"consent": "SUBSCRIBED", **consented}
    return {"email": email, "subscriptions": {"email": {"marketing": marketing}}}


def pointers(response):
    """Where the errors of an answer point."""
    return [one["source"]["pointer"] for one in response.json["errors"]]
