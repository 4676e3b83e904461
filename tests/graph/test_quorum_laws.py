"""The law of the quorum: an action runs if and only if enough distinct people who may stand behind exactly that action."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from assent.graph.errors import AssentError
from assent.graph.opening import open_desk
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.rules.terms import Terms
from fakes import Script, Till, approve, asks, calls, edit, on_thread, reject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROPOSED = 5
REQUESTER = "rita"
PEOPLE = {"ada": "operator", "bob": "operator", "lee": "lead", REQUESTER: "operator", "vi": "viewer"}

steps = st.tuples(
    st.sampled_from(sorted(PEOPLE)),
    st.sampled_from(["approve"] * 6 + ["stale", "edit 3", "edit 3", "edit 4", "edit 5", "withdraw", "withdraw", "reject", "leave"]),
)


class Oracle:
    """What people said, kept beside the desk: who stands behind which amount."""

    def __init__(self) -> None:
        self.said: dict[str, int] = {}
        self.refused = False
        self.gone: set[str] = set()

    def behind(self, amount: int) -> set[str]:
        return {who for who, said in self.said.items() if said == amount and who not in self.gone}

    def take_back(self, who: str, amount: int) -> None:
        standing = [one for one, said in self.said.items() if said == amount]
        self.said.pop(who if who in standing else standing[-1])

    def say(self, who: str, amount: int) -> None:
        self.said.pop(who, None)
        self.said[who] = amount


@pytest.fixture
def table(tmp_path: Path) -> Iterator[tuple[Any, Any, Any]]:
    """A desk, and what runs coroutines on it."""
    with asyncio.Runner() as runner:
        opening = open_desk(f"sqlite:///{tmp_path}/desk.db")
        desk = runner.run(opening.__aenter__())
        yield runner, desk, count()
        runner.run(opening.__aexit__(None, None, None))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=12))
def test_it_runs_if_and_only_if_enough_stand_behind_exactly_that(table: tuple[Any, Any, Any], plan: list[tuple[str, str]]) -> None:
    runner, desk, numbers = table
    runner.run(play(desk, f"n{next(numbers)}", plan))


async def play(desk: Any, name: str, plan: list[tuple[str, str]]) -> None:
    till, oracle = Till(), Oracle()
    for who, role in PEOPLE.items():
        await desk.users.add(f"{who} {name}", role=role)
    if await desk.users.get("root") is None:
        await desk.users.add("root", role="admin")
    policy = Policy((on("pay", always("review", "Two people look.", Terms(quorum=2))),))
    script = Script(calls(("pay", {"to": "bob", "amount": PROPOSED})))
    agent = desk.agent(tools=till.tools, policy=policy, propose=script, name=name)
    await agent.ainvoke(asks(), on_thread(name, f"{REQUESTER} {name}"))
    (first,) = [card for card in await desk.pending("root") if card.thread == name]

    for who, what in plan:
        with suppress(AssentError):
            await step(desk, oracle, first, f"{who} {name}", what)
    asked = (await desk.card(first.id, "root")).args["amount"]
    await desk.drain()

    assert till.paid == ([("pay", "bob", asked)] if not oracle.refused and len(oracle.behind(asked)) >= 2 else [])
    assert not oracle.said.keys() & {f"{REQUESTER} {name}", f"vi {name}"}
    await desk.cancel(name, "root")


async def step(desk: Any, oracle: Oracle, first: Any, who: str, what: str) -> None:
    """Take one step at the desk; what it refuses is not said."""
    card = await desk.card(first.id, "root")
    match what.split():
        case ["approve"]:
            await desk.decide(card.id, approve(card), who)
            oracle.say(who, card.args["amount"])
        case ["stale"]:
            await desk.decide(card.id, approve(first), who)
            oracle.say(who, PROPOSED)
        case ["edit", amount]:
            await desk.decide(card.id, edit(card, amount=int(amount)), who)
            oracle.say(who, int(amount))
        case ["withdraw"]:
            await desk.withdraw(card.id, who)
            oracle.take_back(who, card.args["amount"])
        case ["reject"]:
            await desk.decide(card.id, reject(card), who)
            oracle.refused = True
        case ["leave"]:
            await desk.users.switch(who, "root", active=False)
            oracle.gone.add(who)
