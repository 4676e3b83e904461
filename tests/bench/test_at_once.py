"""Many at once, as the benchmarks have it: no card is given to two, no decision is lost, and none counts twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from assent.bench.burst import burst
from assent.bench.loading import load
from assent.bench.taking import CLIENTS, race
from assent.graph.store import migrate

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_queue(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """The address of a database with this version's tables."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    url = f"sqlite:///{tmp_path}/desk.db"
    asyncio.run(migrate.upgrade(sa.make_url(url)))
    return url


def test_sixteen_processes_that_take_from_one_queue_never_hold_the_same_card(empty_queue: str) -> None:
    load(empty_queue, 1_000, operators=CLIENTS)
    raced = race(empty_queue, 3)
    assert (raced.taken, raced.twice, raced.ended) == (CLIENTS * 3, 0, CLIENTS)
    assert raced.refused > 0  # they did meet


def test_reviewers_who_decide_at_once_over_http_lose_nothing_and_decide_nothing_twice(empty_queue: str) -> None:
    found = burst(empty_queue, reviewers=4, keys=25)
    assert found.faults == []
    assert (len(found.acknowledged), found.lost, found.twice) == (100, 0, 0)
    assert found.doubled > 0 and found.late > 0  # keys were pressed twice, and cards decided by two
    assert "100 decisions acknowledged, 0 lost" in found.line()


def test_the_queue_benchmark_prints_ratios_and_finds_no_card_taken_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.queue", "--databases", "sqlite", "--sizes", "100", "400"]
    command += ["--rounds", "3", "--cards", "2", "--folder", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert ran.returncode == 0, ran.stderr
    for line in ("list 50", "take a card", "decide", "count, to 1,000", "search, in 5,000", "32 cards taken, 0 taken twice"):
        assert line in ran.stdout
    assert "loading 400 pending reviews" in ran.stderr
    assert list(tmp_path.iterdir()) == []
