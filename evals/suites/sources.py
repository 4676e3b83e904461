"""Where cases come from: people's decisions, the shop's labelled messages, or a file of yours; it runs nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...graph.clock import Clock, utc_now
from ...graph.store.session import Store
from ...tools.shop.messages import Message, Split, packaged_messages
from ..examples import Call, Example, read_examples
from .cases import EvalCase
from .suite import SuiteError

Source = Callable[[], AsyncIterator[EvalCase]]


def decisions(store: Store, tenant: str, *, agent: str | None = None, clock: Clock = utc_now) -> Source:
    """Return a source of what people decided: of one agent, or of all; answers in the tool's place judge no action."""

    async def read() -> AsyncIterator[EvalCase]:
        async for example in read_examples(store, tenant, clock=clock):
            if example.label != "respond" and agent in (None, example.agent):
                yield case_of(example)

    return read


def case_of(example: Example) -> EvalCase:
    """Return an example as a case: what a person accepted is right, what a person rejected is wrong."""
    return EvalCase(
        id=example.id,
        text=example.text,
        expected=example.right,
        rejected=(example.proposed,) if example.label == "reject" else (),
        conversation=example.conversation,
        offers=example.offers,
        requester=example.requester,
        original=example.proposed,
        evidence=example.evidence,
        choices=example.choices,
    )


def shop_messages(split: Split | None = "held_out") -> Source:
    """Return a source of the shop's labelled messages: those held out from training, unless another split is asked for."""

    async def read() -> AsyncIterator[EvalCase]:
        for message in packaged_messages(split):
            yield _of_message(message)

    return read


def _of_message(message: Message) -> EvalCase:
    expected = Call(message.tool, dict(message.args))
    return EvalCase(message.id, message.text, expected, partial=True, requester=message.customer)


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    tool: Annotated[str, Field(min_length=1)]
    args: dict[str, Any] = {}


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    role: str
    text: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: Annotated[str, Field(min_length=1)]
    text: str
    expected: _Action | None = None
    rejected: list[_Action] = []
    partial: bool = False
    conversation: list[_Turn] = []
    requester: str = ""


def case_file(path: str | os.PathLike[str]) -> Source:
    """Return a source that reads JSON lines with `id`, `text`, `expected` {tool, args} and, if they like, more.

    Every line is read before the first case is given; raises SuiteError with file and line.
    """

    async def read() -> AsyncIterator[EvalCase]:
        for case in list(_cases(Path(path))):
            yield case

    return read


def _cases(path: Path) -> Iterator[EvalCase]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror or 'cannot be read'}") from None
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            line = _Line.model_validate_json(raw)
        except ValidationError as error:
            raise SuiteError(f"{path}:{number}: {_first(error)}") from None
        yield _of_line(line)


def _of_line(line: _Line) -> EvalCase:
    return EvalCase(
        id=line.id,
        text=line.text,
        expected=Call(line.expected.tool, line.expected.args) if line.expected else None,
        rejected=tuple(Call(action.tool, action.args) for action in line.rejected),
        partial=line.partial,
        conversation=tuple(turn.model_dump() for turn in line.conversation),
        requester=line.requester,
    )


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
