"""Where things are in the Merchant API: addresses we make, and those it gives, which never leave its host.

Every address ends with a slash before its query. `next` and links are joined, never computed: Cratejoy's documents and
captures disagree on whether pages count from 0 or from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit, urlunsplit

from pipeline.core.errors import BadResponse

_PORTS = {"http": 80, "https": 443}


def build_url(base_url: str, path: str, query: Mapping[str, str] | None = None) -> str:
    """The address of a collection ("customers"), an element ("customers/7") or a relation ("customers/7/addresses")."""
    return f"{base_url}{quote(path.strip('/'))}/{_encode_query(query or {})}"


def build_query(filters: Mapping[str, str], with_: Sequence[str], limit: int | None) -> dict[str, str]:
    """A query: filters as Cratejoy spells them, relations to embed, and how many."""
    return {
        **filters,
        **({"with": ",".join(with_)} if with_ else {}),
        **({} if limit is None else {"limit": str(limit)}),
    }


def resolve_next_page(collection_url: str, next_link: str) -> str:
    """The address of a page, from the collection's and a `next`: a query, a path or a whole URL."""
    found = _join_same_host(collection_url, next_link)
    if _strip_slash(found.path) != _strip_slash(urlsplit(collection_url).path):
        raise BadResponse("the address of the next page leads to something else")
    return urlunsplit(found._replace(path=urlsplit(collection_url).path))


def extract_query(url: str) -> str:
    """A page's address as it is kept and handed on: the query alone, with its question mark."""
    return f"?{urlsplit(url).query}"


def resolve_link(base_url: str, link: str) -> str:
    """The address a relation's link leads to: a path, or a whole URL of the same host."""
    found = _join_same_host(base_url, link)
    return urlunsplit(found._replace(path=f"{_strip_slash(found.path)}/"))


def _join_same_host(base_url: str, link: str) -> SplitResult:
    """Joined to where it was found. The keys travel with every request, so no answer may send us to another host."""
    base = urlsplit(base_url)
    try:
        found = urlsplit(urljoin(base_url, link.strip()))
        own_port = base.port or _PORTS[base.scheme]
        same = found.hostname == base.hostname and found.port in (None, own_port)
    except ValueError:
        raise BadResponse("an address in the answer is malformed") from None
    if not same or found.scheme not in _PORTS:
        raise BadResponse("an address in the answer leads to another host")
    # Samples in the documents say http: the scheme is ours, and so is how the host is written.
    return found._replace(scheme=base.scheme, netloc=base.netloc, fragment="")


def _strip_slash(path: str) -> str:
    return path.rstrip("/")


def _encode_query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query, quote_via=quote)}" if query else ""
