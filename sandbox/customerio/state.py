"""The state of a sandbox: workspaces, switches, faults and calls; and the check of credentials."""

from collections.abc import Callable

from sandbox.customerio.auth import Credentials
from sandbox.customerio.calls import CallLog
from sandbox.customerio.events import US_PER_S
from sandbox.customerio.faults import ActiveFaults
from sandbox.customerio.switches import Switches
from sandbox.customerio.workspace import Workspace

REGIONS = ("us", "eu")


class State:
    """The state of the sandbox. It is read and changed only under the lock of the app."""

    def __init__(self, now: Callable[[], int], new_key: Callable[[], str], switches: Switches) -> None:
        """Start without workspaces; `now` returns microseconds, `new_key` a new secret."""
        self._now = now
        self._new_key = new_key
        self._first_switches = switches
        self.base_url = ""
        self.workspaces: dict[str, Workspace] = {}
        self.forget()

    @property
    def now(self) -> int:
        """Return the time the sandbox believes it to be, in microseconds."""
        return self._now() + self.switches.clock_offset_s * US_PER_S

    def forget(self) -> None:
        """Go back to the beginning; workspaces and their keys stay."""
        self.switches = self._first_switches
        self.faults = ActiveFaults()
        self.calls = CallLog()
        for workspace in self.workspaces.values():
            workspace.forget()

    def add_workspace(self, site_id: str | None = None, api_key: str | None = None, region: str = "us") -> Workspace:
        """Add a workspace; what is not given is made up."""
        if region not in REGIONS:
            raise ValueError(f"region cannot be {region!r}")
        site_id = site_id or self._new_key()
        if site_id in self.workspaces:
            raise ValueError("there is a workspace with this site id already")
        workspace = Workspace(len(self.workspaces) + 1, site_id, api_key or self._new_key(), region)
        self.workspaces[site_id] = workspace
        return workspace

    def admit(self, credentials: Credentials | None) -> Workspace | None:
        """Return the workspace these credentials open."""
        workspace = self.workspaces.get(credentials.site_id) if credentials else None
        return workspace if workspace and credentials and workspace.api_key == credentials.api_key else None

    def apply_deferred(self) -> None:
        """Apply the deferred changes of every workspace, so that a reader sees a complete state."""
        for workspace in self.workspaces.values():
            workspace.apply_deferred()
