"""Whatever happens to a desk in whatever order: paid is what was approved, once, and nothing is lost; a list of payments judges."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import assent
from assent.graph.errors import AlreadyDecided, AssentError, StaleDigest
from fakes import HandClock, approve, calls, edit, on_thread, reject, respond, says, staff
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langgraph.types import Command

THREADS = ("t1", "t2")
PEOPLE = ("ada", "bob", "lee")
ANSWERS = st.sampled_from(["approve", "edit", "reject", "respond"])
_template: list[Path] = []


class Killed(BaseException):
    """Stands for the end of a process, as far as one can be had without ending this one."""


async def _people(url: str) -> None:
    async with assent.open(url) as desk:
        await staff(desk)


def _fresh_database(folder: Path) -> str:
    """Return a database with tables and people; made once, then copied."""
    if not _template:
        made = Path(tempfile.mkdtemp()) / "desk.db"
        asyncio.run(_people(f"sqlite:///{made}"))
        _template.append(made)
    return f"sqlite:///{shutil.copy(_template[0], folder / 'desk.db')}"


def _terms(facts: Any) -> assent.Ruling:
    """Every third payment needs two people, every fifth is due in ten minutes."""
    amount = int(facts.args["amount"])
    terms = assent.Terms(quorum=2 if amount % 3 == 0 else 1, due=600 if amount % 5 == 0 else None)
    return assent.Ruling("review", "Money goes out.", terms=terms)


ASKED = assent.Policy((assent.on("pay", _terms),))
STRICTER = assent.Policy((assent.on("pay", lambda facts: assent.Ruling("refuse", "No more payments.")),))
BUILDS = ("as before", "as before", "another policy", "another schema", "without the tool")
"""How the agent may be deployed anew."""


class DeskMachine(RuleBasedStateMachine):
    """One desk, two threads, three people, a bank that is not idempotent, and bad luck."""

    @initialize()
    def open(self) -> None:
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.loop = asyncio.new_event_loop()
        self.stack.callback(self.loop.close)
        self.url, self.clock = self.database(), HandClock()
        self.paid: list[int] = []
        self.doubtful: set[int] = set()
        self.accepted: dict[str, int] = {}
        """What the last decision of a review lets be paid."""
        self.ever: set[int] = set()
        self.behind: dict[tuple[str, int], set[str]] = {}
        """Who approved what of a review, ever."""
        self.asked = 0
        self.dies: str | None = None
        self.travelled = self.cancelled = self.redeployed = False
        self.start()

    def database(self) -> str:
        return _fresh_database(self.folder)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def start(self, build: str = "as before") -> None:
        self.build = build
        self.opening = assent.open(self.url, clock=self.clock)
        self.desk = self.run(self.opening.__aenter__())
        tools = {"another schema": [self.other_tool()], "without the tool": []}.get(build, [self.tool()])
        policy = STRICTER if build == "another policy" else ASKED
        self.agent = self.desk.agent(tools=tools, policy=policy, propose=self.proposed)

    def pays(self, amount: int) -> str:
        if self.dies == "before":
            self.dies = None
            raise Killed
        self.paid.append(amount)
        if self.dies == "after":
            self.dies = None
            raise Killed
        return f"paid {amount}"

    def tool(self) -> Any:
        @assent.action(consequence="costly")
        async def pay(to: str, amount: int) -> str:
            """Pay."""
            return self.pays(amount)

        return pay

    def other_tool(self) -> Any:
        @assent.action(consequence="costly")
        async def pay(to: str, amount: int, currency: str = "USD") -> str:
            """Pay."""
            return self.pays(amount)

        return pay

    def stop(self) -> None:
        self.run(self.opening.__aexit__(None, None, None))

    async def proposed(self, step: Any, **_: Any) -> Any:
        if not step.messages or step.messages[-1].type != "human":
            return says()
        wanted = []
        for _index in range(1 + self.asked % 2):
            self.asked += 1
            wanted.append(("pay", {"to": "bob", "amount": self.asked}))
        return calls(*wanted)

    def try_(self, work: Any) -> Any:
        """Do something that may be refused, or end in the middle."""
        try:
            return self.run(work)
        except (AssentError, Killed, asyncio.CancelledError):
            return None

    def cards(self) -> list[Any]:
        return sorted(self.run(self.desk.pending("ada")), key=lambda card: card.number)

    def answer(self, kind: str, card: Any) -> dict[str, Any]:
        return {"approve": approve, "reject": reject, "edit": lambda one: edit(one, amount=one.args["amount"] + 1000)}.get(
            kind, lambda one: respond(one, "No.")
        )(card)

    @rule(thread=st.sampled_from(THREADS))
    def message(self, thread: str) -> None:
        self.try_(self.desk.send(thread, "Pay.", requester="carol"))

    @rule(kind=ANSWERS, who=st.sampled_from(PEOPLE), window=st.sampled_from([0, 0, 30]), pick=st.integers(0, 3))
    @precondition(lambda self: self.cards())
    def decide(self, kind: str, who: str, window: float, pick: int) -> None:
        card = self.cards()[pick % len(self.cards())]
        done = self.try_(self.desk.decide(card.id, self.answer(kind, card), who, undo_window=window))
        if done is None:
            return  # expired, approved by this person already, or not to be edited in this build
        amount = card.args["amount"] + (1000 if kind == "edit" else 0)
        self.behind.setdefault((card.id, amount), set()).add(who)
        if done.status == "approved":
            assert len(self.behind[card.id, amount]) >= done.quorum, f"paid without approval of {done.quorum} people"
            self.ever.add(amount)
        if done.status != "pending":
            self.accepted[card.id] = amount if done.status == "approved" else 0

    @rule(pick=st.integers(0, 3))
    @precondition(lambda self: self.cards())
    def decide_what_was_not_shown(self, pick: int) -> None:
        card = self.cards()[pick % len(self.cards())]
        with suppress(StaleDigest):
            self.run(self.desk.decide(card.id, {"type": "approve", "digest": "0" * 64}, "ada"))
            raise AssertionError("a digest that nobody was shown decided something")

    @rule(pick=st.integers(0, 9))
    @precondition(lambda self: self.accepted)
    def decide_again(self, pick: int) -> None:
        review = sorted(self.accepted)[pick % len(self.accepted)]
        card = self.run(self.desk.card(review, "bob"))
        if card.status != "pending":
            with suppress(AlreadyDecided):
                self.run(self.desk.decide(review, approve(card), "bob"))
                raise AssertionError("decided twice")

    @rule(pick=st.integers(0, 9))
    @precondition(lambda self: self.accepted)
    def withdraw(self, pick: int) -> None:
        review = sorted(self.accepted)[pick % len(self.accepted)]
        before = self.run(self.desk.card(review, "lee")).version
        self.try_(self.desk.withdraw(review, "lee"))
        if self.run(self.desk.card(review, "lee")).version > before:
            self.accepted[review] = 0

    @rule()
    def drain(self) -> None:
        self.try_(self.desk.drain())

    @rule(
        thread=st.sampled_from(THREADS), value=st.sampled_from([True, "approved", {"type": "approve"}, {"0" * 32: True}, {"x": 1}])
    )
    def forge(self, thread: str, value: Any) -> None:
        with suppress(Exception, Killed, asyncio.CancelledError):
            self.run(self.agent.graph.ainvoke(Command(resume=value), on_thread(thread)))

    @rule(thread=st.sampled_from(THREADS), pick=st.integers(0, 20))
    def travel(self, thread: str, pick: int) -> None:
        async def back() -> None:
            history = [one async for one in self.agent.graph.aget_state_history(on_thread(thread))]
            if history:
                await self.agent.graph.ainvoke(None, history[pick % len(history)].config)

        self.travelled = True
        with suppress(Exception, Killed, asyncio.CancelledError):
            self.run(back())

    @rule(when=st.sampled_from(["before", "after"]))
    def bad_luck(self, when: str) -> None:
        self.dies = when

    @rule(seconds=st.sampled_from([1, 31, 700]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(seconds=st.sampled_from([0, 700]))
    def restart(self, seconds: float) -> None:
        self.stop()
        self.clock.forward(seconds)
        self.start()

    @rule(build=st.sampled_from(BUILDS))
    def redeploy(self, build: str) -> None:
        self.redeployed = self.redeployed or build != "as before"
        self.stop()
        self.start(build)

    @rule(thread=st.sampled_from(THREADS), sure=st.integers(0, 3))
    def cancel(self, thread: str, sure: int) -> None:
        if sure == 0:
            self.cancelled = True
            self.try_(self.desk.cancel(thread, "ada"))

    @rule(outcome=st.sampled_from(["done", "not_done"]))
    def settle(self, outcome: Any) -> None:
        for task in self.run(self.desk.tasks("ada")):
            if task.kind == "unknown":
                self.try_(self.desk.settle(task.action, outcome, "ada"))

    @rule()
    def retry(self) -> None:
        for task in self.run(self.desk.tasks("ada")):
            if task.kind == "stalled":
                self.try_(self.desk.retry(task.thread, "ada"))

    @invariant()
    def paid_is_what_was_approved_and_once(self) -> None:
        paid = getattr(self, "paid", [])
        assert len(paid) == len(set(paid)), f"paid twice: {paid}"
        assert set(paid) <= getattr(self, "ever", set()), f"paid without approval: {paid}"

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        try:
            self.dies = None
            if self.build != "as before":
                self.redeploy("as before")
            for _ in range(40):
                self.clock.forward(700)
                self.retry()
                worked = self.run(self.desk.drain())
                self.settle("not_done")
                cards = self.cards()
                for card in cards:
                    self.try_(self.desk.decide(card.id, reject(card), "ada"))
                if not worked and not cards:
                    break
            self.paid_is_what_was_approved_and_once()
            if not self.travelled:
                self.nothing_is_left()
        finally:
            self.stop()
            self.stack.close()

    def nothing_is_left(self) -> None:
        assert self.cards() == [] and self.run(self.desk.tasks("ada")) == []
        assert self.run(self.desk.backlog()) == 0
        lines = self.run(self.desk.history("ada", limit=500))
        for line in lines:
            assert line.outcome in ("", "succeeded", "failed", "expired", "cancelled", "superseded"), line
            assert self.redeployed or line.outcome != "superseded", line
        if not self.cancelled:
            approved = {amount for amount in self.accepted.values() if amount}
            told = {line.accepted["amount"] for line in lines if line.accepted and line.outcome}
            assert approved <= told, f"approved and forgotten: {approved - told}"
        for thread in THREADS:
            if self.run(self.desk.has_thread(thread)) and self.run(self.desk.conversation(thread)).status != "cancelled":
                assert self.run(self.agent.aget_state(on_thread(thread))).next == ()


class OnPostgreSQL(DeskMachine):
    """The same on PostgreSQL."""

    def database(self) -> str:
        import postgres

        url = str(self.stack.enter_context(postgres.fresh()))
        self.run(_people(url))
        return url


MACHINES = {"sqlite": DeskMachine, "postgresql": OnPostgreSQL}
"""By database; the tests walk on SQLite, `make faults` walks on both."""

DeskMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("ASSENT_MACHINE_N", "6")),
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a step is slow: the failing run itself says more than its shrinking
    suppress_health_check=list(HealthCheck),
)
OnPostgreSQL.TestCase.settings = DeskMachine.TestCase.settings
TestDesk = DeskMachine.TestCase
