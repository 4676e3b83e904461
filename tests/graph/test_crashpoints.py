"""Crash points do nothing unless asked for by name, and each name is a place in the code."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import assent
import pytest
from assent.graph import crashpoints

GRAPH = Path(crashpoints.__file__).parent


@pytest.fixture(autouse=True)
def disarmed():
    yield
    crashpoints.arm("")


def test_every_point_is_reached_somewhere_and_nothing_else_is():
    reached = {name for path in GRAPH.rglob("*.py") for name in re.findall(r'reach\("([^"]+)"\)', path.read_text("utf-8"))}
    assert reached == set(crashpoints.POINTS)


def test_nothing_happens_at_a_point_that_is_not_armed(monkeypatch):
    ended = []
    monkeypatch.setattr(os, "kill", lambda *args: ended.append(args))
    for point in crashpoints.POINTS:
        crashpoints.reach(point)
    crashpoints.arm("after-claim:2")
    for point in ("before-claim", "after-claim", "after-effect"):
        crashpoints.reach(point)
    assert ended == []
    crashpoints.reach("after-claim")
    assert ended == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize("wanted", ["after-lunch", "after-claim:0", "after-claim:x", "after-claim:-1"])
async def test_a_point_that_does_not_exist_is_refused_by_name(url, monkeypatch, wanted):
    monkeypatch.setenv(crashpoints.VARIABLE, wanted)
    with pytest.raises(assent.AssentError, match="after-claim"):
        async with assent.open(url):
            pass
