"""A batch of operations, which goes one state further each time it is read."""

from dataclasses import dataclass, field

from sandbox.mailchimp.call import Json
from sandbox.mailchimp.dates import iso

STATES = ("pending", "preprocessing", "started", "finalizing", "finished")
KEPT_S = 7 * 86_400


@dataclass(slots=True)
class Batch:
    """A batch. `waiting`: operations in the order in which they will run, with their positions."""

    id: str
    submitted_at: float
    total: int
    waiting: list[tuple[int, Json]]
    fault: str = ""
    fault_code: int = 500
    is_processed_in_fault: bool = False
    state: str = "pending"
    completed_at: float | None = None
    results: list[Json] = field(default_factory=list)
    errored: int = 0
    done: int = 0

    @property
    def is_finished(self) -> bool:
        """Is there nothing more to do?"""
        return self.state == "finished"

    def as_json(self, results_url: str) -> Json:
        """Return the batch as the API shows it. The counts begin once it has started."""
        has_begun = self.state in STATES[2:]
        return {
            "id": self.id,
            "status": self.state,
            "total_operations": self.total if has_begun else 0,
            "finished_operations": self.done,
            "errored_operations": self.errored,
            "submitted_at": iso(self.submitted_at),
            "completed_at": iso(self.completed_at),
            "response_body_url": results_url if self.is_finished else "",
        }
