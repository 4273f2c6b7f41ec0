"""Bulk imports of profiles: queued, processing, complete. Each reading of a job takes it one state further."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.klaviyo.errors import Refusal, error
from sandbox.klaviyo.profiles import MAX_PROFILE_BYTES, Profiles, size_of

KIND = "profile-bulk-import-job"
STATES = ("queued", "processing", "complete")
MAX_PROFILES = 10_000


@dataclass(slots=True)
class ImportJob:
    """One job. `profiles`: the attributes of each with the pointer to it."""

    id: str
    created_at: datetime
    profiles: list[tuple[str, dict[str, Any]]]
    status: str = STATES[0]
    errors: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the job as JSON:API."""
        is_complete = self.status == STATES[-1]
        counts = {
            "total_count": len(self.profiles),
            "completed_count": len(self.profiles) - len(self.errors) if is_complete else 0,
            "failed_count": len(self.errors),
        }
        attributes = {"status": self.status, "created_at": self.created_at.isoformat(), **counts}
        links = {"self": f"https://a.klaviyo.com/api/{KIND}s/{self.id}/"}
        return {"type": KIND, "id": self.id, "attributes": attributes, "links": links}


class ImportJobs:
    """All jobs of an account."""

    def __init__(self, profiles: Profiles) -> None:
        """Import into these profiles."""
        self._profiles = profiles
        self._jobs: dict[str, ImportJob] = {}

    def add(self, profiles: list[tuple[str, dict[str, Any]]], now: datetime) -> ImportJob:
        """Accept a job."""
        job = ImportJob(secrets.token_hex(12), now, profiles)
        self._jobs[job.id] = job
        return job

    def find(self, job_id: str) -> ImportJob:
        """Return a job, or refuse an id that there is not."""
        if job_id not in self._jobs:
            raise Refusal(404, error(404, "not_found", "There is no job with this id."))
        return self._jobs[job_id]

    def advance(self, job: ImportJob) -> None:
        """Take a job one state further; its profiles are there once it is complete."""
        if job.status == STATES[-1]:
            return
        job.status = STATES[STATES.index(job.status) + 1]
        if job.status == STATES[-1]:
            for pointer, attributes in job.profiles:
                self._import(job, pointer, attributes)

    def complete_all(self) -> None:
        """Complete every job."""
        for job in self._jobs.values():
            while job.status != STATES[-1]:
                self.advance(job)

    def _import(self, job: ImportJob, pointer: str, attributes: dict[str, Any]) -> None:
        fault = self._find_fault(pointer, attributes)
        if fault is None:
            return
        shown = {name: fault[name] for name in ("code", "title", "detail", "source")}
        failure = {**shown, "original_payload": attributes}
        job.errors.append({"type": "import-error", "id": fault["id"], "attributes": failure})

    def _find_fault(self, pointer: str, attributes: dict[str, Any]) -> dict[str, Any] | None:
        """Import a profile, or return why it cannot be."""
        if size_of(attributes) > MAX_PROFILE_BYTES:
            return error(413, "too_large", "The profile is over 100 KB.", pointer)
        try:
            self._profiles.upsert(attributes, f"{pointer}/attributes")
        except Refusal as refusal:
            return refusal.errors[0]
        return None
