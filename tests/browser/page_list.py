"""Every page that people see: the one list for the pictures of `make screenshots` and for the test with axe.

A new page gets its row here. An address may name what the ledger has: {store}, {event}, {person}, {dead}, {alarm},
{account}, {order}, {batch}, {frozen_batch}, {files_store}, {import}, {replay}, {sample}, {question}, {test_event}; a
page is left out where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page: its name, which is that of its picture, and its address. `is_public`: seen without a log-in."""

    name: str
    address: str
    is_public: bool = False


PAGES = (
    ListedPage("first-visit", "/", is_public=True),
    ListedPage("connect", "/connect", is_public=True),
    ListedPage("log-in", "/login", is_public=True),
    ListedPage("register", "/register", is_public=True),
    ListedPage("forgotten-password", "/reset", is_public=True),
    ListedPage("confirm-again", "/confirm", is_public=True),
    ListedPage("not-found", "/nothing/here", is_public=True),
    ListedPage("overview", "/"),
    ListedPage("shop", "/stores/{store}"),
    ListedPage("shop-first-run", "/stores/{new_store}"),
    ListedPage("hooks", "/stores/{store}/hooks"),
    ListedPage("customers", "/stores/{store}/customers"),
    ListedPage("settings", "/stores/{store}/settings"),
    ListedPage("event-preview", "/stores/{store}/settings/events/order_new"),
    ListedPage("key", "/stores/{store}/settings/keys/cratejoy/client_secret"),
    ListedPage("connection-mapping", "/stores/{store}/connections/1/mapping"),
    ListedPage("rehearsals", "/stores/{store}/rehearsals"),
    ListedPage("rehearsal", "/stores/{store}/rehearsals/{rehearsal}"),
    ListedPage("connection-new", "/stores/{store}/connections/new/customerio"),
    ListedPage("removal", "/stores/{store}/removal"),
    ListedPage("warehouse", "/stores/{store}/warehouse"),
    ListedPage("warehouse-none", "/stores/{new_store}/warehouse"),
    ListedPage("warehouse-connect", "/stores/{store}/warehouse/connect/cartrover"),
    ListedPage("warehouse-settings", "/stores/{store}/warehouse/settings"),
    ListedPage("batches", "/stores/{store}/warehouse/batches"),
    ListedPage("batch", "/stores/{store}/warehouse/batches/{batch}"),
    ListedPage("batch-frozen", "/stores/{store}/warehouse/batches/{frozen_batch}"),
    ListedPage("batch-question", "/stores/{store}/warehouse/batches/{batch}/freeze"),
    ListedPage("files", "/stores/{files_store}/warehouse/files"),
    ListedPage("import", "/stores/{files_store}/warehouse/imports/{import}"),
    ListedPage("orders", "/orders"),
    ListedPage("order", "/stores/{store}/orders/{order}"),
    ListedPage("order-question", "/stores/{store}/orders/{order}/resend"),
    ListedPage("tracking", "/stores/{store}/tracking"),
    ListedPage("activity", "/activity"),
    ListedPage("activity-of-one-person", "/activity?person={person}"),
    ListedPage("activity-empty", "/activity?show=tests"),
    ListedPage("event", "/activity/{event}"),
    ListedPage("search", "/search?q=a"),
    ListedPage("samples", "/samples"),
    ListedPage("sample", "/samples/{sample}"),
    ListedPage("unreadable", "/activity/unreadable/{dead}"),
    ListedPage("people", "/people"),
    ListedPage("people-of-one-shop", "/stores/{store}/people"),
    ListedPage("person", "/stores/{store}/people/{person}"),
    ListedPage("erase", "/stores/{store}/people/{person}/erase"),
    ListedPage("flow", "/flow"),
    ListedPage("attention", "/attention"),
    ListedPage("attention-question", "/attention/{question}/read_customers"),
    ListedPage("replays", "/replays"),
    ListedPage("replay", "/replays/{replay}"),
    ListedPage("replay-new", "/replays/new?store={store}&show=refused"),
    ListedPage("test-event", "/stores/{store}/test-event"),
    ListedPage("test-event-sent", "/stores/{store}/test-event/{test_event}"),
    ListedPage("account", "/account"),
    ListedPage("audit-log", "/accounts/{account}/log"),
    ListedPage("api-tokens", "/accounts/{account}/tokens"),
    ListedPage("password", "/change"),
    ListedPage("mail-address", "/change-email"),
    ListedPage("second-factor", "/tf-setup"),
    ListedPage("recovery-codes", "/mf-recovery-codes"),
    ListedPage("password-again", "/verify"),
)


def list_pages(known: Mapping[str, object]) -> Iterator[ListedPage]:
    """The pages with their addresses filled in, without those that need what is not known."""
    for page in PAGES:
        wanted = {field for _, field, _, _ in Formatter().parse(page.address) if field}
        if wanted <= known.keys():
            yield ListedPage(page.name, page.address.format_map(known), page.is_public)
