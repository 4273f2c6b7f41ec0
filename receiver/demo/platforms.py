"""The platforms that a demo can deliver to: the sandbox that plays each, and how it is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.destinations import DESTINATIONS


@dataclass(frozen=True, slots=True)
class DemoPlatform:
    """A sandbox. It prints its address and its keys as a line of JSON, and shows its people at `/_sandbox/people`."""

    name: str
    module: str
    fields: Mapping[str, str]  # field of the connection -> its name in that line
    people_page: str = "/_sandbox/people"
    check_event: str = ""  # that connecting sends, if it does
    max_text_bytes: int = 1_000  # of an attribute; longer ones are cut
    automations_page: str = ""  # a list of {"kind", "age_s"}: what started an automation, if the platform has such
    documents: Mapping[str, str] = field(default_factory=dict)  # the same for what the command reads from a file

    @property
    def title(self) -> str:
        """The platform's title."""
        return DESTINATIONS[self.name].title

    def list_options(self, said: Mapping[str, str], folder: Path) -> list[str]:
        """The options of `cratewire connect` for the sandbox that said this; documents are written to the folder."""
        options = ["--platform", self.name]
        for name, key in self.fields.items():
            options += [f"--{name.replace('_', '-')}", said[key]]
        for name, key in self.documents.items():
            path = folder / f"{self.name}-{name}.toml"
            path.write_text(said[key], encoding="utf-8")
            options += [f"--{name.replace('_', '-')}", str(path)]
        return options


_AUTOMATIONS = "/_sandbox/automations"

PLATFORMS: Mapping[str, DemoPlatform] = {
    platform.name: platform
    for platform in (
        DemoPlatform(
            "customerio",
            "sandbox.customerio",
            {"site_id": "site_id", "api_key": "api_key", "region": "region", "base_url": "url"},
            people_page="/",
        ),
        DemoPlatform(
            "klaviyo", "sandbox.klaviyo", {"api_key": "api_key", "base_url": "base_url"}, automations_page=_AUTOMATIONS
        ),
        DemoPlatform(
            "mailchimp",
            "sandbox.mailchimp",
            {"api_key": "api_key", "audience": "audience", "base_url": "base_url"},
            max_text_bytes=255,
            automations_page=_AUTOMATIONS,
        ),
        DemoPlatform(
            "segment",
            "sandbox.segment",
            {"write_key": "write_key", "base_url": "base_url"},
            check_event="Cratewire Connected",
        ),
        DemoPlatform(
            "http",
            "sandbox.http",
            {"api_key": "api_key", "hook_url": "hook_url"},
            documents={"config": "document"},
        ),
        DemoPlatform("webhook", "sandbox.receiver", {"url": "address", "secret": "secret"}),
    )
}
