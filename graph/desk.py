"""The desk: one place where work waits; the same doors for the web desk, the terminal, the HTTP API and your own code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver

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
from .building import Building
from .clock import Clock
from .control import stopping
from .control.controls import Controls
from .control.notices import Notifier
from .control.notifying import Sender, to_log
from .control.sweeping import Sweeper
from .errors import StoreError
from .looking import chatting, reading, tasks
from .looking.handing import Handed
from .looking.history import HistoryLine
from .looking.tasks import Task
from .looking.views import ExampleView, ReviewCard
from .store.session import Store
from .wiring import Gate
from .work.worker import Worker


class Desk(Building, Cards, Controls, Evidence):
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
