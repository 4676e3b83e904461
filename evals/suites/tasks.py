"""Replays cases: the agent proposes again on what it saw at the time, and the machine rules again; nothing is run.

The world has moved on since a case was decided, so no dry run is made: the recorded evidence counts for the recorded
action, and for any other there is none. A policy that asks for evidence will therefore send it to a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ...graph.canonical import NotCanonical, canonical
from ...graph.confidence import Signal, confidence
from ...graph.errors import ProposalError
from ...graph.precedents import Embedder, PrecedentIndex
from ...graph.precedents import Example as Remembered
from ...graph.proposals import covers
from ...graph.proposing import Offer, Precedent, Proposer, Step
from ...graph.proposing.legality import same_json
from ...graph.rules.policy import Facts, Policy
from ...graph.signals.reading import taken
from ...graph.store.session import Store
from ...tools.declaration import declaration_of, plain, schema_of
from ..examples import read_examples
from ..exports.turns import turns_of
from .cases import EvalCase, Proposed, Task, Verdict

NEAREST = 6
"""How many precedents a model is shown."""


class Setting(Protocol):
    """What proposes and rules; a desk's gate is one."""

    @property
    def agent(self) -> str:
        """Name of the agent."""
        ...

    @property
    def tenant(self) -> str:
        """Whose work it is."""
        ...

    @property
    def tools(self) -> Mapping[str, BaseTool]:
        """What it may do, by name."""
        ...

    @property
    def policy(self) -> Policy:
        """What rules on its proposals."""
        ...

    @property
    def propose(self) -> Proposer | None:
        """How it proposes; None: it has no model."""
        ...

    @property
    def instructions(self) -> str:
        """The system prompt."""
        ...

    @property
    def signals(self) -> Sequence[Signal]:
        """What is measured of gated actions."""
        ...

    @property
    def may_finish(self) -> bool:
        """Whether it may answer without an action."""
        ...


Recall = Callable[[EvalCase], Awaitable[tuple[Precedent, ...]]]
"""Finds what past decisions show the model in a case: never the case itself."""


def replay(setting: Setting, recall: Recall | None = None) -> Task:
    """Return a task that proposes for a case by the setting's model and rules on it by its policy and signals.

    Of several calls in one message the first is looked at. Malformed answers raise ProposalError.
    """

    async def task(case: EvalCase) -> Proposed:
        if setting.propose is None:
            raise ProposalError("This agent has no model.")
        step = Step(
            instructions=setting.instructions,
            messages=tuple(_messages(case)),
            offers=case.offers or tuple(_offers(setting.tools)),
            precedents=await recall(case) if recall is not None else (),
            may_finish=setting.may_finish,
        )
        message = await setting.propose(step)
        if not message.tool_calls:
            return Proposed(None)
        call = message.tool_calls[0]
        return await _ruled(setting, case, step, call["name"], call["args"])

    return task


async def _ruled(setting: Setting, case: EvalCase, step: Step, name: str, proposed: dict[str, Any]) -> Proposed:
    tool = setting.tools.get(name)
    if tool is None:
        return Proposed(name, proposed, "refuse")
    consequence = declaration_of(tool).consequence
    try:
        args = plain(tool, proposed)
        canonical(args)
    except (ValidationError, NotCanonical):
        return Proposed(name, proposed, "refuse", consequence=consequence)
    facts = Facts(
        tool=name,
        args=args,
        consequence=consequence,
        requester=case.requester,
        tenant=setting.tenant,
        agent=setting.agent,
        thread=f"case {case.id}",
        context=_context(case, step, name, args),
    )
    ruled = await setting.policy.rule(facts)
    if ruled.kind != "gate":
        return Proposed(name, args, ruled.kind, consequence=consequence)
    sure = confidence([await taken(signal, name, args, step, setting.propose) for signal in setting.signals if setting.propose])
    threshold = setting.policy.threshold_for(name, consequence)
    verdict: Verdict = "allow" if sure is not None and threshold is not None and sure >= threshold else "review"
    return Proposed(name, args, verdict, sure, consequence)


def _context(case: EvalCase, step: Step, tool: str, args: dict[str, Any]) -> dict[str, Any]:
    original = case.original
    same = original is not None and tool == original.tool and same_json(args, original.args)
    offered = next((offer.choices for offer in step.offers if offer.name == tool), None)
    choices = case.choices if original is not None and tool == original.tool else offered
    legal = choices is None or any(covers(choice, args) for choice in choices)
    return {"text": case.text, "evidence": case.evidence if same else "", "choices_legal": legal}


def _messages(case: EvalCase) -> list[BaseMessage]:
    turns = turns_of(case.conversation, case.text)
    kinds: dict[str, type[BaseMessage]] = {"user": HumanMessage, "assistant": AIMessage}
    return [kinds[turn["role"]](content=turn["content"]) for turn in turns]


def _offers(tools: Mapping[str, BaseTool]) -> list[Offer]:
    return [Offer(tool.name, tool.description, schema_of(tool)) for tool in tools.values()]


def leave_one_out(
    store: Store,
    tenant: str,
    agent: str,
    embedder: Embedder,
    *,
    playbook: Sequence[Remembered] = (),
    k: int = NEAREST,
) -> Recall:
    """Return a recall over the accepted actions of an agent without the case itself and all that share its text.

    The same text is the same case told again (a second attempt after a rejection): it would give the answer away.
    Demonstrations of a `playbook` stand beside the decisions, as they do for the live agent.
    """
    shown = {demonstration.example_id for demonstration in playbook}
    held: list[PrecedentIndex] = []
    turn = asyncio.Lock()

    async def recall(case: EvalCase) -> tuple[Precedent, ...]:
        async with turn:
            if not held:
                held.append(await _index(store, tenant, agent, embedder, playbook))
        if not case.text.strip():
            return ()
        found = await held[0].nearest(case.text, len(held[0]))
        others = [one for one in found if one.example_id != case.id and one.text != case.text]
        return tuple(replace(one, decided=one.example_id not in shown) for one in others[:k])

    return recall


async def _index(store: Store, tenant: str, agent: str, embedder: Embedder, playbook: Sequence[Remembered]) -> PrecedentIndex:
    index = PrecedentIndex(embedder)
    accepted = [
        Remembered(example.id, example.text, example.tool, example.accepted)
        async for example in read_examples(store, tenant)
        if example.accepted is not None and example.agent == agent and example.text.strip()
    ]
    await index.add([*playbook, *accepted])
    return index
