"""Tools that are slow or fail: what changed nothing is `failed`, what may have is `unknown`; only the same key is sent again."""

from __future__ import annotations

import asyncio

import assent
import httpx
import pytest
from assent.graph import running
from assent.graph.store import executions, reviews
from assent.graph.store.events import page
from assent.tools import declaration
from assent.tools.deadline import StoppedItself, TooSlow, within
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, says, told
from paying_server import Payments, paying

ALLOWED = assent.Policy((assent.on(["pay", "look"], lambda facts: assent.Ruling("allow", "Agreed.")),))


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Waits that are there for the world's sake, made short."""
    monkeypatch.setattr(declaration, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(running, "PAUSE_SECONDS", 0.001)


def payer(payments: Payments, *, consequence="costly", idempotent=False, retries=0, timeout=0.5):
    """Return a tool that pays over HTTP and says how sure it is of what happened."""

    @assent.action(consequence=consequence, idempotent=idempotent, retries=retries, timeout=timeout)
    async def pay(to: str, case: assent.Case) -> str:
        """Pay somebody."""
        key = {"idempotency-key": case.idempotency_key} if case.idempotency_key else {}
        async with httpx.AsyncClient(timeout=None) as client:
            answer = await client.post(payments.url, headers=key, json={"to": to})
        if answer.status_code == 409:
            raise assent.ActionRefused("The bank knows no such account.")
        answer.raise_for_status()
        return "paid"

    return pay


async def paid(desk, tool) -> tuple[str, str, int]:
    """Have a payment asked for, approved and tried; returns its execution's status, result and attempts."""
    agent = desk.agent(tools=[tool], policy=SAFE, propose=Script(calls(("pay", {"to": "bob"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    async with desk.store.read() as tx:
        review = await reviews.by_id(tx, card.id)
        row = await executions.get(tx, review.action) if review is not None else None
    assert row is not None
    return row.status, row.result or "", row.attempts


@pytest.mark.parametrize("answer", ["500", "hang"])
async def test_a_payment_that_was_booked_before_the_answer_failed_is_unknown_and_never_tried_again(opened_on_any, answer):
    with paying(answer, "ok") as payments:
        status, result, attempts = await paid(opened_on_any, payer(payments))
        await opened_on_any.drain()
        assert (status, attempts, payments.booked) == ("unknown", 1, [None])
        assert ("500" if answer == "500" else "no answer within 0.5 s; it may have acted") in result
        assert [task.kind for task in await opened_on_any.tasks("ada")] == ["unknown"]


async def test_a_refusal_changed_nothing_so_it_is_failed_and_the_agent_is_told(opened):
    with paying("409") as payments:
        status, result, attempts = await paid(opened, payer(payments, idempotent=True, retries=3))
        assert (status, result, attempts, payments.booked) == ("failed", "The bank knows no such account.", 1, [])
        assert await opened.tasks("ada") == []


@pytest.mark.parametrize("answer", ["500", "hang"])
async def test_an_idempotent_tool_is_tried_again_under_the_same_key_and_pays_once(opened_on_any, answer):
    with paying(answer, answer, "ok") as payments:
        status, result, attempts = await paid(opened_on_any, payer(payments, idempotent=True, retries=3))
        assert (status, result, attempts) == ("succeeded", "paid", 3)
        assert len(payments.asked) == 3 and len(set(payments.asked)) == 1 and payments.booked == [payments.asked[0]]
        async with opened_on_any.store.read() as tx:
            kinds = [event.kind for event in await page(tx, "main") if event.kind.startswith("execution.")]
        assert kinds == ["execution.claimed", "execution.retried", "execution.retried", "execution.succeeded"]


async def test_retries_are_bounded_and_then_a_person_is_asked(opened):
    with paying("500") as payments:
        status, _, attempts = await paid(opened, payer(payments, idempotent=True, retries=2))
        assert (status, attempts, len(payments.asked)) == ("unknown", 3, 3)
        assert [task.kind for task in await opened.tasks("ada")] == ["unknown"]


async def test_an_idempotent_tool_that_declares_no_retries_is_called_once(opened):
    with paying("500", "ok") as payments:
        status, _, attempts = await paid(opened, payer(payments, idempotent=True))
        assert (status, attempts, len(payments.asked)) == ("unknown", 1, 1)


async def test_nothing_is_tried_again_once_the_case_was_cancelled(opened, monkeypatch):
    monkeypatch.setattr(running, "PAUSE_SECONDS", 0.3)
    called, started = [], asyncio.Event()

    @assent.action(consequence="costly", idempotent=True, retries=10)
    async def pay(to: str) -> str:
        """Pay somebody."""
        called.append(to)
        started.set()
        raise ConnectionError("no answer")

    agent = opened.agent(tools=[pay], policy=ALLOWED, propose=Script(calls(("pay", {"to": "bob"}))))
    run = asyncio.create_task(agent.ainvoke(asks(), on_thread()))
    await started.wait()
    await opened.cancel("t1", "carol")
    await run
    assert called == ["bob"]


async def test_a_read_that_is_too_slow_failed_because_it_changed_nothing(opened):
    @assent.action(consequence="read", timeout=0.05)
    async def look(what: str) -> str:
        """Look something up."""
        await asyncio.Event().wait()
        return what

    agent = opened.agent(tools=[look], policy=ALLOWED, propose=Script(calls(("look", {"what": "x"})), says("Sorry.")))
    values = await agent.ainvoke(asks(), on_thread())
    assert "no answer within 0.05 s" in told(values)[0] and await opened.tasks("ada") == []


async def test_a_tool_without_a_deadline_may_take_its_time(opened):
    @assent.action(consequence="read", timeout=None)
    async def look(what: str) -> str:
        """Look something up."""
        await asyncio.sleep(0.2)
        return what

    agent = opened.agent(tools=[look], policy=ALLOWED, propose=Script(calls(("look", {"what": "found it"})), says()))
    assert "found it" in told(await agent.ainvoke(asks(), on_thread()))[0]


async def test_what_a_tool_says_when_it_is_stopped_counts():
    async def careful() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "it had gone through"
        return ""

    assert await within(0.01, careful()) == "it had gone through"


async def test_a_tool_that_ignores_its_deadline_is_left_behind_and_not_called_again(opened):
    called, free = [], asyncio.Event()

    @assent.action(consequence="costly", idempotent=True, retries=3, timeout=0.02)
    async def pay(to: str) -> str:
        """Pay somebody."""
        called.append(to)
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return "paid"

    status, result, attempts = await paid(opened, pay)
    free.set()
    assert (status, attempts, called) == ("unknown", 1, ["bob"]) and "may have acted" in result


async def test_too_slow_and_stopped_are_told_apart():
    async def stops() -> None:
        raise asyncio.CancelledError

    with pytest.raises(StoppedItself):
        await within(5, stops())
    with pytest.raises(TooSlow) as slow:
        await within(0.01, asyncio.Event().wait())
    assert not slow.value.running


async def hang(**_: object) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def slow_look(to: str) -> str:
    """Never say whether it would work."""
    await hang()
    return ""


async def test_a_dry_run_that_is_too_slow_leaves_it_to_a_person(opened):
    @assent.action(consequence="costly", dry_run=slow_look)
    async def pay(to: str) -> str:
        """Pay somebody."""
        return "paid"

    agent = opened.agent(tools=[pay], policy=ALLOWED, propose=Script(calls(("pay", {"to": "bob"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    assert any("no answer within 0.1 s" in reason["text"] for reason in card.reasons)
    with pytest.raises(assent.AssentError, match=r"no answer within 0\.1 s"):
        await opened.decide(card.id, edit(card, to="eve"), "ada")


async def test_legal_values_that_come_too_late_leave_it_to_a_person(opened):
    @assent.action(consequence="costly", choices=hang)
    async def pay(to: str) -> str:
        """Pay somebody."""
        return "paid"

    script = Script(calls(("pay", {"to": "bob"})))
    agent = opened.agent(tools=[pay], policy=ALLOWED, propose=script)
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    assert any("legal values could not be looked up" in reason["text"] for reason in card.reasons)
    assert script.steps[0].offers == ()


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"retries": 1}, "idempotent"),
        ({"retries": -1, "idempotent": True}, "retries"),
        ({"retries": 11, "idempotent": True}, "retries"),
    ],
)
def test_deadlines_and_retries_that_make_no_sense_are_refused_where_they_are_declared(declared, why):
    with pytest.raises(ValueError, match=why):
        assent.action(consequence="costly", **declared)
