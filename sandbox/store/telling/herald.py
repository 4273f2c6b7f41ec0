"""The herald: turns news into bodies and posts them to the registered hooks, in the manner the mix asks for."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.store.state import Row, State
from sandbox.store.telling import values, variants, wire
from sandbox.store.telling.bodies import body_of
from sandbox.store.telling.firing import Firing
from sandbox.store.telling.mix import Manner, Mix, draw
from sandbox.store.telling.news import News
from sandbox.store.telling.truth import Happening, Stray, Truth
from sandbox.store.telling.worker import Post

UNKNOWN_EVENT = "gift_claimed"


@dataclass
class Style:
    """How to tell for the time being: oddities and their luck, retries, and when the next may go."""

    rng: random.Random
    mix: Mix = field(default_factory=Mix)
    retries: int = 0
    next_due: Callable[[], float] = lambda: 0.0


class Herald:
    """Told of news by the shop under the state's lock; hands posts to the firing threads."""

    def __init__(self, state: State, truth: Truth, firing: Firing, style: Style) -> None:
        self.firing = firing
        self.style = style
        self.handed_over = 0
        self._state = state
        self._truth = truth
        self._told_bodies: set[bytes] = set()

    def tell(self, news: News) -> None:
        body = body_of(self._state, news)
        if not self._is_new(news.event, body):
            return
        manner = draw(self.style.mix, self._state.switches, self.style.rng)
        links = manner.links and self._may_link(news)
        body = dressed(body, news, manner, links=links)
        happening = self._truth.record(news, self._state.now, manner.form, lost=manner.lost)
        hooks = [hook for hook in self._state.rows("hooks") if hook["enabled"] and hook["event"] == news.event]
        if manner.lost or not hooks:
            return
        self.handed_over += 1
        remember(news, overtaken=manner.overtaken)
        for hook in hooks:
            self._post(hook, happening, body, manner, news)

    def _is_new(self, event: str, body: Row) -> bool:
        """Two happenings never have one body: nobody could tell the second from a repeated post."""
        text = f"{event} {json.dumps(body, sort_keys=True)}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if digest in self._told_bodies:
            return False
        self._told_bodies.add(digest)
        return True

    def _may_link(self, news: News) -> bool:
        """Links hide who it is: by chance they are used only for people an earlier hook has shown."""
        always = self._state.switches.relations == "links"
        return always or news.customer is None or bool(news.customer["_known"])

    def _post(self, hook: Row, happening: Happening, body: Row, manner: Manner, news: News) -> None:
        due = max(self.style.next_due(), self.firing.clock() + manner.hold)
        person = news.customer["id"] if news.customer else 0
        method, url, data = request_of(hook, body, manner.form)
        line = None if manner.overtaken or not person else person
        post = Post(happening, method, url, data, due, line, manner.copies, self.style.retries)
        self.firing.put(post, person)
        if method == "POST":
            self._post_strays(hook, body, manner, due)

    def _post_strays(self, hook: Row, body: Row, manner: Manner, due: float) -> None:
        if manner.broken:
            stray = self._truth.stray(hook["event"], self._truth.broken)
            self._put_stray(stray, hook["target"], wire.broken(body, self.style.rng), due)
        if manner.unknown and hook["event"] in hook["target"]:
            target = hook["target"].replace(hook["event"], UNKNOWN_EVENT)
            stray = self._truth.stray(UNKNOWN_EVENT, self._truth.unknown)
            self._put_stray(stray, target, wire.FORMS[manner.form](body), due)

    def _put_stray(self, stray: Stray, target: str, body: bytes, due: float) -> None:
        self.firing.put(Post(stray, "POST", target, body, due), 0)


def dressed(body: Row, news: News, manner: Manner, *, links: bool) -> Row:
    if links:
        body = variants.links(news, body)
    if manner.integer_status:
        body = variants.integer_status(body)
    return values.written(body, values.Forms(manner.dates, manner.money, manner.booleans, invisible=manner.invisible))


def request_of(hook: Row, body: Row, form: str) -> tuple[str, str, bytes | None]:
    if hook["request_type"] == "POST":
        return "POST", hook["target"], wire.FORMS[form](body)
    query = wire.query_of(hook["querystring"] or "", body)
    joint = "&" if "?" in hook["target"] else "?"
    return "GET", f"{hook['target']}{joint}{query}" if query else hook["target"], None


def remember(news: News, *, overtaken: bool) -> None:
    """Note who was told of; and, unless later hooks may come first, whom a receiver knows from now on."""
    for row in filter(None, (news.customer, news.row if news.event == "order_new" else None)):
        row["_told"] = True
        row["_known"] = row["_known"] or not overtaken
