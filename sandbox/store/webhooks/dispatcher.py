"""Turn events of the shop into bodies and post them to the registered hooks, with the oddities of the mix."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.store.state import Row, State
from sandbox.store.webhooks import body_variants, value_formats, wire_forms
from sandbox.store.webhooks.bodies import build_body
from sandbox.store.webhooks.mix import Mix, SendPlan, draw_send_plan
from sandbox.store.webhooks.sender import Post
from sandbox.store.webhooks.sender_pool import SenderPool
from sandbox.store.webhooks.shop_event import ShopEvent
from sandbox.store.webhooks.truth import EventRecord, ExtraPost, Truth

UNKNOWN_EVENT = "gift_claimed"


@dataclass
class DispatchOptions:
    """The present options: oddities with their random source, retries, and the time of the next hook."""

    rng: random.Random
    mix: Mix = field(default_factory=Mix)
    retries: int = 0
    next_due: Callable[[], float] = lambda: 0.0


class WebhookDispatcher:
    """Receives events from the shop under the lock of the state and passes posts to the sending threads."""

    def __init__(self, state: State, truth: Truth, firing: SenderPool, style: DispatchOptions) -> None:
        self.pool = firing
        self.style = style
        self.dispatched = 0
        self._state = state
        self._truth = truth
        self._seen_bodies: set[bytes] = set()

    def report(self, news: ShopEvent) -> None:
        body = build_body(self._state, news)
        if not self._is_new(news.event, body):
            return
        manner = draw_send_plan(self.style.mix, self._state.switches, self.style.rng)
        links = manner.links and self._may_link(news)
        body = apply_variants(body, news, manner, links=links)
        happening = self._truth.record(news, self._state, manner.form, lost=manner.lost)
        hooks = [hook for hook in self._state.rows("hooks") if hook["enabled"] and hook["event"] == news.event]
        if manner.lost or not hooks:
            return
        self.dispatched += 1
        mark_known(news, overtaken=manner.overtaken)
        for hook in hooks:
            self._post(hook, happening, body, manner, news)

    def _is_new(self, event: str, body: Row) -> bool:
        """Make the body unique: two events with equal bodies could not be distinguished from a repeated post."""
        text = f"{event} {json.dumps(body, sort_keys=True)}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if digest in self._seen_bodies:
            return False
        self._seen_bodies.add(digest)
        return True

    def _may_link(self, news: ShopEvent) -> bool:
        """Links hide who it is: by chance they are used only for people an earlier hook has shown."""
        always = self._state.switches.relations == "links"
        return always or news.customer is None or bool(news.customer["_known"])

    def _post(self, hook: Row, happening: EventRecord, body: Row, manner: SendPlan, news: ShopEvent) -> None:
        due = max(self.style.next_due(), self.pool.clock() + manner.delay_s)
        person = news.customer["id"] if news.customer else 0
        method, url, data = build_request(hook, body, manner.form)
        line = None if manner.overtaken or not person else person
        post = Post(happening, method, url, data, due, line, manner.copies, self.style.retries)
        self.pool.put(post, person)
        if method == "POST":
            self._post_extras(hook, body, manner, due)

    def _post_extras(self, hook: Row, body: Row, manner: SendPlan, due: float) -> None:
        if manner.broken:
            stray = self._truth.record_extra(hook["event"], self._truth.broken)
            self._put_extra(stray, hook["target"], wire_forms.damage_body(body, self.style.rng), due)
        if manner.unknown and hook["event"] in hook["target"]:
            target = hook["target"].replace(hook["event"], UNKNOWN_EVENT)
            stray = self._truth.record_extra(UNKNOWN_EVENT, self._truth.unknown)
            self._put_extra(stray, target, wire_forms.FORMS[manner.form](body), due)

    def _put_extra(self, stray: ExtraPost, target: str, body: bytes, due: float) -> None:
        self.pool.put(Post(stray, "POST", target, body, due), 0)


def apply_variants(body: Row, news: ShopEvent, manner: SendPlan, *, links: bool) -> Row:
    if links:
        body = body_variants.replace_relations_by_links(news, body)
    if manner.integer_status:
        body = body_variants.use_integer_statuses(body)
    return value_formats.apply_formats(
        body,
        value_formats.ValueFormats(
            manner.dates, manner.money, manner.booleans, manner.sources, invisible=manner.invisible
        ),
    )


def build_request(hook: Row, body: Row, form: str) -> tuple[str, str, bytes | None]:
    if hook["request_type"] == "POST":
        return "POST", hook["target"], wire_forms.FORMS[form](body)
    query = wire_forms.fill_query_template(hook["querystring"] or "", body)
    joint = "&" if "?" in hook["target"] else "?"
    return "GET", f"{hook['target']}{joint}{query}" if query else hook["target"], None


def mark_known(news: ShopEvent, *, overtaken: bool) -> None:
    """Record the people of the event, and unless later hooks may come first, that a receiver now knows them."""
    for row in filter(None, (news.customer, news.row if news.event == "order_new" else None)):
        row["_sent"] = True
        row["_known"] = row["_known"] or not overtaken
