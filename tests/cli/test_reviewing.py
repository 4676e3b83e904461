"""Reviewers from a terminal: how they do, and what a lead sets, by real processes on a real file."""

from __future__ import annotations

from cli.test_terminal import Terminal, terminal

__all__ = ["terminal"]


async def test_a_lead_sets_how_reviewers_are_measured_and_sees_how_they_do(terminal: Terminal) -> None:
    await terminal.feed()
    assert (await terminal("inbox", "reject", "1", "--reason", "wrong")).code == 0
    found = (await terminal("reviewers", "--json")).json()
    assert [(line["name"], line["decisions"], line["today"]) for line in found["reviewers"]] == [("operator", 1, 1)]
    assert found["healthy"] is None and "14" in found["why"]
    chosen = await terminal("reviewing", "set", "known=.1", "daily_cap=200")
    assert (chosen.code, "known=0.1" in chosen.out, "daily_cap=200" in chosen.out) == (0, True, True), chosen.err
    wrong = await terminal("reviewing", "set", "known=2")
    assert (wrong.code, "from 0 to 1" in wrong.err, "Traceback" in wrong.err) == (1, True, False), wrong.err
