"""The desk: one place where work waits; the same doors for the web desk, the terminal, the HTTP API and your own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from ..tools.declaration import schema_digest, schema_of
from . import crashpoints
from .access.people import People
from .agent import Agent
from .audit.denying import Denials
from .audit.evidence import Evidence
from .audit.heads import Signer, Signing
from .authority import caring, deciding, withdrawing
from .authority.cards import Cards
from .authority.decisions import parse_decision
from .authority.ledger import Ledger
from .authority.limits import Limits
from .autonomy.learner import Learning
from .canonical import digest_of
from .clock import Clock
from .confidence import Signal, agreement, precedent, self_assessment
from .control import stopping
from .control.controls import Controls
from .control.notices import Notifier
from .control.notifying import Sender, to_log
from .control.sweeping import Sweeper
from .control.undoing import Undoer
from .errors import AssentError, StoreError
from .gate import gate_graph
from .looking import chatting, reading, tasks
from .looking.handing import Handed
from .looking.views import ExampleView, HistoryLine, ReviewCard, Task
from .memory import Memory
from .precedents import Embedder, Example
from .proposing import Proposer, native
from .rules.policy import Policy
from .rules.policy_file import load_policy
from .signals.reading import name_of
from .signals.settings import signals_digest
from .store.models import ActionRow
from .store.session import Store
from .wiring import Gate
from .work.worker import Worker
from .workflow import agent_graph

INSTRUCTIONS = "You help the requester. Propose one action at a time; people may have to approve it."


class Desk(Cards, Controls, Evidence):
    """An opened desk; made by `assent.open`."""

    def __init__(
        self,
        store: Store,
        saver: BaseCheckpointSaver[str],
        clock: Clock,
        tenant: str = "main",
        limits: Limits | None = None,
        notifier: Notifier = to_log,
        signing: Signing | None = None,
        learning: Learning | None = None,
    ) -> None:
        self.store, self.saver, self.clock, self.tenant = store, saver, clock, tenant
        self.users = People(store, clock, tenant)
        self.agents: dict[str, Agent] = {}
        self.denials = Denials(store, clock, tenant)
        waker, sender = stopping.Waker(store, clock, tenant), Sender(store, clock, tenant, notifier)
        self.learner = learning(store, clock, tenant) if learning is not None else None
        learned = (self.learner.count, self.learner.learn) if self.learner is not None else ()
        self.sweeper = Sweeper(store, clock, tenant, waker, sender, Signer(store, clock, tenant, signing), *learned)
        self.worker = Worker(store, clock, tenant, self.agents, self.sweeper)
        self._ledger = Ledger(store, clock, limits)
        self._handed = Handed()
        self._gates: dict[str, list[Gate]] = {}

    # -- building ------------------------------------------------------------------------------------------------------

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
        """
        gate = self._keep(
            tools,
            agent=name,
            policy=_policy(policy, tools),
            propose=propose or (native(model) if model is not None else None),
            instructions=instructions,
            memory=Memory(self.store, memory, self.tenant, name, playbook=playbook) if memory is not None else None,
            may_finish=may_finish,
            actions_per_turn=actions_per_turn,
            signals=tuple(signals) if signals is not None else _signals(model, memory),
            provenance=_provenance(model, model_name, instructions),
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
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Return the gate alone, to take the place of a `ToolNode` in a graph of yours; hand that graph to `serve`.

        With a `model` the policy's `gate` rulings are assessed by asking it again; without, they go to a person.
        """
        gate = self._keep(
            tools,
            agent=name,
            policy=_policy(policy, tools),
            propose=native(model) if model is not None else None,
            signals=tuple(signals) if signals is not None else _signals(model, None),
            provenance=_provenance(model, None, ""),
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
        known: dict[str, Any] = {"tools": named, "schemas": schemas, "digests": digests}
        settings["provenance"] = {**settings["provenance"], "signals": signals_digest(settings.get("signals", ()))}
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

    # -- deciding ------------------------------------------------------------------------------------------------------

    async def decide(
        self, review_id: str, decision: Any, actor: str, *, undo_window: float = 0.0, key: str | None = None
    ) -> deciding.Decided:
        """Decide a pending review: the only door. It stays pending until as many people as its terms ask for approved one digest.

        Args:
            review_id: the review.
            decision: Approve, Edit, Reject or Respond, or the same as plain JSON; it carries the digest of what was shown.
            actor: who decides, by the name the server knows; the role is read in the deciding transaction.
            undo_window: seconds before the decision takes effect; until then `withdraw` takes it back.
            key: an idempotency key; the same key gives the same result, and decides once.

        Raises NotAllowed, UnknownReview, AlreadyDecided, AlreadyApproved, Expired, HeldByAnother, StaleDigest, InvalidEdit,
        UnknownTool, StoreError and, for malformed JSON, pydantic.ValidationError.
        """
        done = await deciding.decide(
            self.store,
            self.clock,
            self.gate_of,
            review_id,
            parse_decision(decision),
            actor,
            undo_window=undo_window,
            key=key,
        )
        if done.status == "pending":
            crashpoints.reach("after-quorum-partial")
        crashpoints.reach("after-decide-commit")
        if done.probe and self.learner is not None:
            with suppress(StoreError):  # the answer is on record, and the sweep takes it in
                await self.learner.count()
        self.worker.hint()
        return done

    async def withdraw(self, review_id: str, actor: str) -> None:
        """Take one's own decision back, or as a lead anybody's, before the action has been started.

        Raises TooLate, NotAllowed, UnknownReview.
        """
        await withdrawing.withdraw(self.store, self.clock, review_id, actor)

    async def settle(self, action_id: str, outcome: Literal["done", "not_done"], actor: str, note: str = "") -> None:
        """Say what became of an execution that nobody can vouch for; the agent goes on with that."""
        await caring.settle(self.store, self.clock, action_id, outcome, actor, note)
        self.worker.hint()

    async def retry(self, thread: str, actor: str) -> None:
        """Let an agent that could not go on try again."""
        await caring.retry(self.store, self.clock, thread, actor)
        self.worker.hint()

    async def cancel(self, thread: str, actor: str, reason: str = "") -> int:
        """Cancel a case: its pending reviews and waiting messages too; returns how many reviews. Nothing of it runs any more."""
        return await caring.cancel(self.store, self.clock, thread, actor, reason)

    async def retire(self, example_id: str, actor: str, reason: str = "") -> None:
        """Take an example out, so that it teaches no more."""
        await caring.retire(self.store, self.clock, example_id, actor, reason)

    # -- looking -------------------------------------------------------------------------------------------------------

    async def pending(
        self, actor: str, *, limit: int = 50, exclude: Sequence[str] = (), search: str = "", tool: str = "", mine: bool = False
    ) -> list[ReviewCard]:
        """Return what waits for a decision, most urgent first.

        With `mine` only what is this person's to decide now: not held by somebody else, not theirs as requester, of a role they
        have, and not approved by them already; nothing when they have reached the daily cap. Two people who ask at the same time
        get different cards first.
        """
        if not mine or exclude or search or tool:
            return await reading.pending(self.store, self.clock, actor, limit, exclude, search, tool, mine=mine)
        beside = len(self._handed.others(actor, self.clock()))
        cards = await reading.pending(self.store, self.clock, actor, limit, (), "", "", mine=True, beside=beside)
        return self._handed.hand(actor, cards, self.clock())[:limit]

    async def card(self, review_id: str, actor: str) -> ReviewCard:
        """Return one review."""
        return await reading.one_card(self.store, self.clock, review_id, actor)

    async def card_by_number(self, number: int, actor: str) -> ReviewCard:
        """Return the review that people call RQ-`number`."""
        return await reading.card_by_number(self.store, self.clock, number, actor)

    async def count_pending(self, actor: str) -> int:
        """Return how many reviews wait, counted to 1,000 at most."""
        return await reading.count_pending(self.store, actor)

    async def history(
        self, actor: str, *, limit: int = 100, before: int | None = None, search: str = "", automatic: bool = True
    ) -> list[HistoryLine]:
        """Return what was decided, newest first; with `automatic` also what passed or was refused without a person."""
        return await reading.history(self.store, actor, limit, before, search, automatic=automatic)

    async def tasks(self, actor: str) -> list[Task]:
        """Return what only a person can settle."""
        return await tasks.tasks(self.store, self.clock, actor)

    async def examples(self, actor: str, *, limit: int = 500, retired: bool = True) -> list[ExampleView]:
        """Return what decisions taught, oldest first."""
        return await reading.list_examples(self.store, actor, limit, retired=retired)

    # -- talking -------------------------------------------------------------------------------------------------------

    async def send(self, thread: str, text: str, *, requester: str, agent: str = "assent") -> chatting.Sent:
        """Accept a requester's message; a worker delivers it, after the outcome of what is pending in its thread."""
        sent = await chatting.send(self.store, self.agents, thread, HumanMessage(text), requester, agent)
        self.worker.hint()
        return sent

    async def conversation(self, thread: str) -> chatting.Conversation:
        """Return a thread as a chat shows it: what was said, what was done, what waits."""
        return await chatting.conversation(self.store, self.tenant, self.agents, thread)

    async def has_thread(self, thread: str) -> bool:
        """Tell whether there is such a thread."""
        return await chatting.exists(self.store, thread)

    async def backlog(self) -> int:
        """Return how many messages wait to be read by an agent, counted to 100 at most."""
        return await chatting.backlog(self.store, self.tenant)

    # -- working -------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Stop what this process still runs; `assent.open` does it at the end."""
        for agent in self.agents.values():
            await agent.close()
        await self.denials.flush()

    async def drain(self) -> int:
        """Do all work that is due now; returns how many wake-ups were worked."""
        return await self.worker.drain()


def _signals(model: BaseChatModel | None, memory: Embedder | None) -> tuple[Signal, ...]:
    if model is None:
        return ()
    measured = (agreement(), self_assessment(model))
    return (*measured, precedent()) if memory is not None else measured


def _policy(policy: Policy | str | Path, tools: Sequence[BaseTool]) -> Policy:
    if isinstance(policy, Policy):
        return policy
    return load_policy(policy, tools={tool.name: list(schema_of(tool).get("properties", {})) for tool in tools})


def _provenance(model: BaseChatModel | None, model_name: str | None, instructions: str) -> Mapping[str, str]:
    own = getattr(model, "model_name", None) or getattr(model, "model", None)
    return {"model": str(model_name or own or ""), "prompt": digest_of("prompt", instructions)}
