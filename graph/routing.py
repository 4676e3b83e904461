"""Where a call goes next: pure functions of the state, one per fork of the diagram."""

from __future__ import annotations

from typing import Literal, assert_never

from .state import CallState


async def by_ruling(state: CallState) -> Literal["act", "assess", "review", "refuse"]:
    """Follow the policy's ruling; only what it ruled `gate` is assessed."""
    match state["way"]:
        case "allow":
            return "act"
        case "gate":
            return "assess"
        case "review":
            return "review"
        case "refuse":
            return "refuse"
    assert_never(state["way"])


async def by_verdict(state: CallState) -> Literal["act", "review", "refuse"]:
    """Follow the verdict that the assessment led to; anything but `allow`, or a refusal because the class is in shadow, waits."""
    match state["way"]:
        case "allow":
            return "act"
        case "refuse":
            return "refuse"
        case _:
            return "review"


async def by_outcome(state: CallState) -> Literal["act", "answer", "refuse"]:
    """Follow a person's decision; anything but an approval or an answer is a refusal."""
    match state["outcome"]["status"]:
        case "approved":
            return "act"
        case "answered":
            return "answer"
        case _:
            return "refuse"


async def by_result(state: CallState) -> Literal["review", "settle", "__end__"]:
    """Ask again if assent was withdrawn, ask a person if nobody knows what happened, else go back to the agent."""
    match state["result"]:
        case "withheld":
            return "review"
        case "unknown":
            return "settle"
        case "finished":
            return "__end__"
    assert_never(state["result"])
