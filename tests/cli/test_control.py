"""Time and control from a terminal: what is put aside, stopped and lifted, by real processes on real files."""

from __future__ import annotations

from cli.test_terminal import FINISH, Terminal, terminal

__all__ = ["terminal"]


async def test_a_stop_keeps_an_approved_action_back_until_it_is_lifted(terminal: Terminal) -> None:
    await terminal.feed()
    snoozed = await terminal("inbox", "snooze", "1", "2h")
    assert (snoozed.code, "RQ-1 snoozed until" in snoozed.out) == (0, True), snoozed.err
    assert (await terminal("inbox", "list", "--json")).json()["pending"] == []
    assert (await terminal("inbox", "unsnooze", "1")).code == 0
    stopped = (await terminal("stops", "press", "all", "--reason", "something is wrong", "--json")).json()
    assert (stopped["scope"], stopped["in_flight"], stopped["by"]) == ("all", [], "operator")

    approved = await terminal("inbox", "approve", "1")
    assert (approved.code, "Not carried out yet" in approved.out) == (0, True), approved.err
    assert terminal.teams() == []
    assert "something is wrong" in (await terminal("stops", "list")).out

    terminal.server.will_say(FINISH)
    lifted = await terminal("stops", "lift", stopped["id"])
    assert lifted.code == 0, lifted.err
    assert terminal.teams() == ["returns"]


async def test_who_may_not_stop_is_told_and_nothing_is_stopped(terminal: Terminal) -> None:
    await terminal.feed()
    ran = await terminal("stops", "press", "all", "--as", "nobody")
    assert (ran.code, "does not know you" in ran.err) == (1, True)
    ran = await terminal("stops", "press", "tool", "no_such_tool")
    assert (ran.code, "nothing was stopped" in ran.err) == (1, True)
    assert (await terminal("stops", "list", "--json")).json() == []
