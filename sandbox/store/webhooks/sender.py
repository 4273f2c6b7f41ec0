"""A sending thread: hooks of a person in order, posts without a person as they become due."""

import heapq
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from sandbox.store.webhooks.http_sender import HttpSender
from sandbox.store.webhooks.truth import EventRecord, ExtraPost

FIRST_RETRY_S = 0.2  # seconds; doubles with each further retry
SUCCESS, REDIRECT = 200, 300
IDLE_TIMEOUT_S = 0.5  # seconds between two checks for a stop


@dataclass
class Post:
    """A request to a target. With a `person` it waits for the earlier posts of that person."""

    mark: EventRecord | ExtraPost
    method: str
    url: str
    body: bytes | None
    due: float
    person: int | None = None
    copies: tuple[float, ...] = ()
    retries: int = 0
    tried: int = 0


def classify_status(status: int | None) -> str:
    """A hook counts as accepted on any 2xx. What Cratejoy itself treats as success is not documented."""
    if status is None:
        return "unanswered"
    return "accepted" if SUCCESS <= status < REDIRECT else "refused"


class Sender:
    """Take posts from the queue; report for each its outcome, the number of further posts, and the time of sending."""

    def __init__(
        self, posted: Callable[[Post, str, int, float], None], clock: Callable[[], float], timeout: float
    ) -> None:
        self._posted = posted
        self._clock = clock
        self._line = HttpSender(timeout)
        self._queue: queue.SimpleQueue[Post | None] = queue.SimpleQueue()
        self._due: list[tuple[float, int, Post]] = []
        self._waiting: dict[int, deque[Post]] = defaultdict(deque)
        self._number = count()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-post", daemon=True)
        self._thread.start()

    def put(self, post: Post) -> None:
        self._queue.put(post)

    def stop(self) -> None:
        self._stopped.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._take_in(self._patience())
            while self._due and self._due[0][0] <= self._clock() and not self._stopped.is_set():
                self._send(heapq.heappop(self._due)[2])
                self._take_in(0)
        self._line.close()

    def _patience(self) -> float:
        return min(IDLE_TIMEOUT_S, max(0.0, self._due[0][0] - self._clock())) if self._due else IDLE_TIMEOUT_S

    def _take_in(self, patience: float) -> None:
        """Move posts from the queue to their place, waiting a moment for the first."""
        try:
            post = self._queue.get(timeout=patience) if patience else self._queue.get_nowait()
            while post is not None:
                self._place(post)
                post = self._queue.get_nowait()
        except queue.Empty:
            return

    def _place(self, post: Post) -> None:
        if post.person is None:
            self._schedule(post, post.due)
            return
        line = self._waiting[post.person]
        line.append(post)
        if len(line) == 1:
            self._schedule(post, post.due)

    def _schedule(self, post: Post, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._number), post))

    def _send(self, post: Post) -> None:
        began = self._clock()
        status = self._line.send(post.method, post.url, post.body)
        outcome = classify_status(status)
        if outcome != "accepted" and post.tried < post.retries:
            post.tried += 1
            self._schedule(post, self._clock() + FIRST_RETRY_S * 2 ** (post.tried - 1))
            self._posted(post, outcome, 0, began)
            return
        self._repeat(post)
        self._next_of(post.person)
        self._posted(post, outcome, len(post.copies) - 1, began)

    def _repeat(self, post: Post) -> None:
        for after in post.copies:
            copy = Post(post.mark, post.method, post.url, post.body, self._clock() + after)
            self._schedule(copy, copy.due)

    def _next_of(self, person: int | None) -> None:
        if person is None:
            return
        line = self._waiting[person]
        line.popleft()
        if line:
            self._schedule(line[0], line[0].due)
        else:
            del self._waiting[person]
