"""The desk's doors for who embeds it: agents and gates are put together here, and remembered by the tools that they offer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from ..tools.declaration import schema_digest, schema_of
from .agent import Agent
from .authority.ledger import Ledger
from .canonical import digest_of
from .clock import Clock
from .confidence import Signal, agreement, precedent, self_assessment
from .control.undoing import Undoer
from .errors import AssentError
from .gate import gate_graph
from .keyed import asked_and_measured, code_digest, model_of, offers_digest, prompt_digest
from .memory import Memory
from .precedents import Embedder, Example
from .proposing import Proposer, native
from .rules.policy import Policy
from .rules.policy_file import load_policy
from .signals.reading import name_of
from .store.models import ActionRow
from .store.session import Store
from .wiring import Gate
from .workflow import agent_graph

INSTRUCTIONS = "You help the requester. Propose one action at a time; people may have to approve it."


class Building:
    """The part of a desk that makes agents and gates, and finds the gate of an action again."""

    store: Store
    saver: BaseCheckpointSaver[str]
    clock: Clock
    tenant: str
    agents: dict[str, Agent]
    _ledger: Ledger
    _gates: dict[str, list[Gate]]

    def agent(
        self,
        model: BaseChatModel | None = None,
        tools: Sequence[BaseTool] = (),
        *,
        policy: Policy | str | Path,
        name: str = "assent",
        instructions: str = INSTRUCTIONS,
        propose: Proposer | None = None,
        signals: Sequence[Signal] | None = None,
        memory: Embedder | None = None,
        playbook: Sequence[Example] = (),
        actions_per_turn: int | None = None,
        may_finish: bool = True,
        model_name: str | None = None,
        model_version: str = "",
    ) -> Agent:
        """Return an agent: propose, gate, propose again; a LangGraph that waits for assent.

        Args:
            model: any LangChain chat model with tool calling; for one without, pass `propose=structured(model)`.
            tools: what it may do; a plain LangChain tool counts as irreversible.
            policy: a Policy, or the path of a policy file.
            name: under which threads find their agent again after a restart.
            instructions: the system prompt.
            propose: how the model proposes; default is native tool calling.
            signals: what is measured of gated actions; default agreement, self-assessment and, with a memory, precedent.
            memory: an embedder; with it similar past decisions are shown to the model.
            playbook: demonstrations of yours, shown like past decisions where they are nearest; they vouch for nothing.
            actions_per_turn: end the turn after so many done actions without asking the model.
            may_finish: whether the model may answer without an action.
            model_name: what examples say proposed them; default is the model's own name.
            model_version: what tells the model from another one of that name: a snapshot, its file's digest, a server's build.
        """
        recalled = Memory(self.store, memory, self.tenant, name, playbook=playbook) if memory is not None else None
        gate = self._keep(
            tools,
            agent=name,
            policy=_policy(policy, tools),
            propose=propose or (native(model) if model is not None else None),
            instructions=instructions,
            memory=recalled,
            may_finish=may_finish,
            actions_per_turn=actions_per_turn,
            signals=tuple(signals) if signals is not None else _signals(model, memory),
            provenance={
                "model": model_of(model, model_name),
                "build": model_version,
                "prompt": prompt_digest(instructions, recalled, may_finish=may_finish, actions_per_turn=actions_per_turn),
            },
        )
        return self._serve(agent_graph(gate).compile(checkpointer=self.saver, name=name), name)

    def gate(
        self,
        tools: Sequence[BaseTool],
        *,
        policy: Policy | str | Path,
        name: str = "assent",
        model: BaseChatModel | None = None,
        signals: Sequence[Signal] | None = None,
        model_name: str | None = None,
        model_version: str = "",
        prompt: str = "",
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Return the gate alone, to take the place of a `ToolNode` in a graph of yours; hand that graph to `serve`.

        With a `model` the policy's `gate` rulings are assessed by asking it again; without, they go to a person. While model and
        prompt are not named, nothing can be certified behind the gate, because a change of them would not be noticed.

        Args:
            tools: what may be called.
            policy: a Policy, or the path of a policy file.
            name: of the agent, under which `serve` finds its threads again.
            model: asked again for signals.
            signals: what is measured of gated actions; default agreement and self-assessment with a model.
            model_name: who proposes in your graph; default is the name of `model`.
            model_version: what else you would want to be told of: a snapshot, a build, the temperature you ask it with.
            prompt: your system prompt, or the name of its version where it is put together; it is digested, and shown to no model.
        """
        gate = self._keep(
            tools,
            agent=name,
            policy=_policy(policy, tools),
            propose=native(model) if model is not None else None,
            signals=tuple(signals) if signals is not None else _signals(model, None),
            provenance={
                "model": model_of(model, model_name),
                "build": model_version,
                "prompt": digest_of("prompt", prompt) if prompt else "",
            },
        )
        return gate_graph(gate).compile()

    def serve(self, graph: CompiledStateGraph[Any, Any, Any, Any], *, name: str = "assent") -> Agent:
        """Return your compiled graph behind the desk's doors; it must have been compiled with `checkpointer=desk.saver`."""
        if graph.checkpointer is not self.saver:
            raise AssentError("Compile the graph with checkpointer=desk.saver, so that what waits survives a restart.")
        return self._serve(graph, name)

    def _keep(self, tools: Sequence[BaseTool], **settings: Any) -> Gate:
        """Make a gate and remember it under its agent, so that edits find the tools again."""
        names = [name_of(signal) for signal in settings.get("signals", ())]
        if len(set(names)) != len(names):
            raise AssentError("Two signals have the same name, so their readings could not be told apart; name one otherwise.")
        named = {tool.name: tool for tool in tools}
        if len(named) != len(tools):
            raise AssentError("Two tools have the same name; rename one.")
        schemas = {tool.name: schema_of(tool) for tool in tools}
        digests = {tool.name: schema_digest(tool) for tool in tools}
        codes = {tool.name: code_digest(tool) for tool in tools}
        known: dict[str, Any] = {"tools": named, "schemas": schemas, "digests": digests, "codes": codes}
        told = settings["provenance"]
        asked = asked_and_measured(settings.get("propose"), settings.get("signals", ()), told["model"])
        settings["provenance"] = {**told, **asked, "offers": offers_digest(tools)}
        gate = Gate(tenant=self.tenant, ledger=self._ledger, clock=self.clock, **known, **settings)
        self._gates.setdefault(gate.agent, []).append(gate)
        return gate

    def _serve(self, graph: CompiledStateGraph[Any, Any, Any, Any], name: str) -> Agent:
        if name in self.agents:
            raise AssentError(f"There is an agent {name!r} already; give this one another name.")
        limits, gated = self._ledger.room.limits, lambda row: self.gate_of(row) is not None
        undo = Undoer(self.store, self.clock, self.gate_of)
        agent = Agent(name, graph, self.store, self.clock, self.tenant, undo, limits, gated)
        self.agents[name] = agent
        return agent

    def gate_of(self, action: ActionRow) -> Gate | None:
        """Return the gate of this process that offers an action's tool, by the action's own policy if several do."""
        offering = [gate for gate in self._gates.get(action.agent, ()) if action.tool in gate.tools]
        offering.sort(key=lambda gate: gate.policy.digest != action.provenance.get("policy"))
        return offering[0] if offering else None

    def gates(self, agent: str = "assent") -> tuple[Gate, ...]:
        """Return the gates of an agent in this process: its tools, policy, model and signals, as evals replay them."""
        return tuple(self._gates.get(agent, ()))


def _signals(model: BaseChatModel | None, memory: Embedder | None) -> tuple[Signal, ...]:
    if model is None:
        return ()
    measured = (agreement(), self_assessment(model))
    return (*measured, precedent()) if memory is not None else measured


def _policy(policy: Policy | str | Path, tools: Sequence[BaseTool]) -> Policy:
    if isinstance(policy, Policy):
        return policy
    return load_policy(policy, tools={tool.name: list(schema_of(tool).get("properties", {})) for tool in tools})
