"""What a suite asks and what comes back: a case with its label, and the machine's proposal with its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ...graph.proposing import Offer
from ...graph.proposing.legality import same_json
from ...tools.declaration import Consequence
from ..examples import Call

Verdict = Literal["allow", "review", "refuse"]
"""What the machine made of a proposal: it runs, a person is asked, or it does not happen."""


@dataclass(frozen=True, slots=True)
class EvalCase:
    """One question with its label; all texts are untrusted."""

    id: str
    text: str
    """The requester's latest message."""
    expected: Call | None = None
    """The right action, with the labelled arguments; None when only wrong ones are known."""
    rejected: tuple[Call, ...] = ()
    """Actions that a person turned down in this case."""
    partial: bool = False
    """Whether arguments the label does not name are free; if not, all have to be equal."""
    conversation: tuple[Mapping[str, Any], ...] = ()
    """Turns before the proposal, oldest first: `role` and `text`."""
    offers: tuple[Offer, ...] = ()
    requester: str = ""
    original: Call | None = None
    """What was proposed at the time, for cases made of decisions."""
    evidence: str = ""
    """What the dry run said of the original proposal."""
    choices: tuple[dict[str, Any], ...] | None = None
    """The legal argument combinations of the original's tool; None when nothing limited them."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the agent proposed, and what would have become of it without a person."""

    tool: str | None
    """None when the agent ended without an action."""
    args: dict[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    """None when there was no action to rule on."""
    confidence: float | None = None
    consequence: Consequence | None = None
    """What the tool declares; None counts as irreversible."""


class Task(Protocol):
    """What a suite measures: turns a case into a proposal with its verdict; an exception is recorded for that case."""

    async def __call__(self, case: EvalCase) -> Proposed:
        """Propose."""
        ...


def is_right(case: EvalCase, proposed: Proposed) -> bool | None:
    """Tell whether the proposal is the labelled action; None when the label cannot tell."""
    if case.expected is not None:
        return proposed.tool == case.expected.tool and _equal(case.expected.args, proposed.args, partial=case.partial)
    if any(proposed.tool == call.tool and same_json(proposed.args, call.args) for call in case.rejected):
        return False
    return None


def equal_arguments(expected: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, bool]:
    """Return for each labelled argument whether the proposed one is the same, types included."""
    return {name: name in args and same_json(args[name], value) for name, value in expected.items()}


def _equal(expected: Mapping[str, Any], args: Mapping[str, Any], *, partial: bool) -> bool:
    return all(equal_arguments(expected, args).values()) and (partial or args.keys() == expected.keys())
