"""The question of the connect form: which values of `source` mean Cratejoy's Marketplace.

The last orders are read once the keys are accepted. If they have values that are not answered yet, the form is shown
again with one question for each, and nothing is saved before it is sent again; a question may stay open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import structlog
from flask import request
from itsdangerous import BadData, URLSafeSerializer
from redis import RedisError

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.factory import open_client
from pipeline.ledger.sources import SourceSample
from pipeline.operations.connect import OriginAnswer
from pipeline.operations.read_sources import read_sources
from receiver.cli.waiting import WaitBudget
from receiver.pages.auth.keys import derive_keys

log = structlog.get_logger(__name__)

MAX_WAIT_S = 6.0  # for the store's budget; then the question is left to the store's page
FIELD = "met_sources"


@dataclass(frozen=True, slots=True)
class OriginQuestions:
    """The questions of a form. `sealed`: what was met, as the form carries it. `questions`: values not answered."""

    sealed: str
    samples: Sequence[SourceSample]
    questions: Sequence[SourceSample]

    def get_origin(self, value: str) -> str:
        """What the form says a value means; "" if it leaves that open."""
        position = next((number for number, one in enumerate(self.questions) if one.value == value), -1)
        origin = request.form.get(f"origin-{position}", "")
        return origin if origin in ("marketplace", "storefront") else ""


def read_questions(context: Context, credentials: Credentials, answered: Collection[str]) -> OriginQuestions:
    """Read the last orders of the store. `answered`: the values whose meaning is known.

    If that fails, nothing is asked now: orders that come raise the question again.
    """
    wait_budget = WaitBudget(lambda _: None, MAX_WAIT_S)
    try:
        samples = read_sources(
            open_client(context, credentials, urgent=True), wait_budget.call_when_allowed, context.now()
        )
    except (CratewireError, RedisError) as error:
        log.warning("the last orders could not be read", error=type(error).__name__)
        samples = []
    return _build(context, samples, answered)


def load_questions(context: Context, answered: Collection[str]) -> OriginQuestions | None:
    """The questions that the form which was just sent has asked; None if it has not asked yet."""
    try:
        loaded = _build_serializer(context).loads(request.form.get(FIELD, ""))
    except BadData:
        return None
    return _build(context, [SourceSample(**sample) for sample in loaded], answered)


def build_answer(questions: OriginQuestions, decided_by: str) -> OriginAnswer:
    """What the form that was sent says."""
    said = {sample.value: questions.get_origin(sample.value) for sample in questions.questions}
    marketplace, storefront = (
        [value for value, origin in said.items() if origin == wanted] for wanted in ("marketplace", "storefront")
    )
    return OriginAnswer(questions.samples, marketplace, storefront, decided_by)


def _build(context: Context, samples: Sequence[SourceSample], answered: Collection[str]) -> OriginQuestions:
    sealed: str = _build_serializer(context).dumps([asdict(sample) for sample in samples])
    return OriginQuestions(sealed, samples, [sample for sample in samples if sample.value not in answered])


def _build_serializer(context: Context) -> URLSafeSerializer:
    return URLSafeSerializer(derive_keys(context.settings.secret_keys, "met sources")[::-1], salt="met sources")
