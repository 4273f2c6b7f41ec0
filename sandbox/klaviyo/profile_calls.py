"""The calls that read and write profiles."""

import re
from typing import Any

from sandbox.klaviyo.account import Account
from sandbox.klaviyo.documents import Json, as_object, read_profiles, read_resource
from sandbox.klaviyo.errors import Refusal, error, invalid
from sandbox.klaviyo.import_jobs import KIND, MAX_PROFILES
from sandbox.klaviyo.profile import Profile, check_patch
from sandbox.klaviyo.profiles import EXISTS, MAX_PROFILE_BYTES

_FILTER = re.compile(r'equals\((id|external_id|email|phone_number),"((?:[^"\\]|\\.)*)"\)')


def find(account: Account, args: dict[str, str]) -> tuple[int, Any]:
    """Find profiles by one identifier."""
    wanted = _FILTER.fullmatch(args.get("filter", ""))
    if wanted is None:
        source = {"parameter": "filter"}
        raise Refusal(400, {**error(400, "invalid", "This filter is not understood here."), "source": source})
    value = re.sub(r"\\(.)", r"\1", wanted[2])
    return 200, {"data": [one.as_json() for one in account.profiles.find({wanted[1]: value})]}


def read(account: Account, profile_id: str) -> tuple[int, Any]:
    """Return one profile."""
    return 200, {"data": account.profiles.get(profile_id).as_json()}


def create(account: Account, body: bytes) -> tuple[int, Any]:
    """Create a profile. One that is there is a conflict that names it."""
    data = _read_profile(body)
    account.profiles.check(data["attributes"], "/data/attributes")
    found = account.profiles.find(data["attributes"])
    if found:
        meta = {"duplicate_profile_id": found[0].id}
        raise Refusal(409, error(409, "duplicate_profile", EXISTS, "/data/attributes", **meta))
    return 201, {"data": _write(account, "profiles", data)[0].as_json()}


def upsert(account: Account, body: bytes) -> tuple[int, Any]:
    """Create or update a profile."""
    profile, is_new = _write(account, "profile-import", _read_profile(body))
    return (201 if is_new else 200), {"data": profile.as_json()}


def update(account: Account, body: bytes, profile_id: str) -> tuple[int, Any]:
    """Update the profile with this id."""
    data = _read_profile(body)
    if data.get("id") != account.profiles.get(profile_id).id:
        raise Refusal(400, invalid("The id must be the one of the path.", "/data/id"))
    return 200, {"data": _write(account, "profiles", data)[0].as_json()}


def merge(account: Account, body: bytes) -> tuple[int, Any]:
    """Merge exactly one profile into another."""
    data = read_resource(body, "profile-merge")
    pointer = "/data/relationships/profiles"
    related = as_object(data.get("relationships"), "/data/relationships")
    sources = as_object(related.get("profiles"), pointer).get("data")
    if not isinstance(sources, list) or len(sources) != 1:
        raise Refusal(400, invalid("Exactly one source profile is required.", pointer))
    source = as_object(sources[0], f"{pointer}/data/0")
    merged = account.profiles.merge(str(source.get("id")), str(data.get("id")))
    account.events.move(str(source.get("id")), merged.id)
    return 201, {"data": {name: merged.as_json()[name] for name in ("type", "id", "links")}}


def start_import(account: Account, body: bytes) -> tuple[int, Any]:
    """Accept many profiles. They are there once the job is complete."""
    data = read_resource(body, KIND)
    profiles = read_profiles(as_object(data.get("attributes"), "/data/attributes"), MAX_PROFILES)
    job = account.imports.add(profiles, account.moment())
    who = [(one.get("external_id") or one.get("email"), "profile", None) for _, one in profiles]
    account.note("profile-bulk-import-jobs", who)
    return 202, {"data": job.as_json()}


def read_import(account: Account, job_id: str) -> tuple[int, Any]:
    """Return a job, and take it one state further."""
    job = account.imports.find(job_id)
    shown = job.as_json()
    account.imports.advance(job)
    return 200, {"data": shown}


def read_import_errors(account: Account, job_id: str) -> tuple[int, Any]:
    """Return what a job could not import."""
    links = {"self": f"https://a.klaviyo.com/api/{KIND}s/{job_id}/import-errors/", "next": None, "prev": None}
    return 200, {"data": account.imports.find(job_id).errors, "links": links}


def _read_profile(body: bytes) -> Json:
    data = read_resource(body, "profile", MAX_PROFILE_BYTES)
    return {**data, "attributes": as_object(data.get("attributes"), "/data/attributes")}


def _write(account: Account, path: str, data: Json) -> tuple[Profile, bool]:
    named = {"id": data["id"]} if data.get("id") else {}
    meta = as_object(data.get("meta") or {}, "/data/meta")
    patch = as_object(meta.get("patch_properties") or {}, "/data/meta/patch_properties")
    check_patch(patch)
    profile, is_new = account.profiles.upsert({**data["attributes"], **named})
    profile.patch(patch)
    account.note(path, [(profile.external_id or profile.email, "profile", None)])
    return profile, is_new
