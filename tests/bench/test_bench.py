"""The benchmark counts what it says it counts, and only cycles that did their work."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from assent.bench.counting import Calls, growing_log, used_bytes, written
from assent.bench.report import Measured, modules, table

ROOT = Path(__file__).resolve().parents[2]


def database(folder: Path) -> sqlite3.Connection:
    """A database as both sides use it."""
    connection = sqlite3.connect(folder / "some.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (v BLOB)")
    return connection


def test_commits_that_write_are_counted_and_no_others(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as connection, growing_log(tmp_path / "some.db"):
        assert written(tmp_path / "some.db").commits == 0
        for _ in range(3):
            connection.executescript("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT")
        connection.executescript("BEGIN IMMEDIATE; SELECT 1; COMMIT")
        connection.executescript("BEGIN IMMEDIATE; INSERT INTO t VALUES (3); ROLLBACK")
        assert written(tmp_path / "some.db").commits == 3


def test_the_count_survives_the_checkpoints_of_sqlite(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as connection, growing_log(tmp_path / "some.db"):
        for _ in range(500):  # 500 x 4 pages: SQLite tries to empty its log after 1,000
            connection.execute("INSERT INTO t VALUES (zeroblob(10000))")
        found = written(tmp_path / "some.db")
    assert found.commits == 500
    assert found.pages > 1500


def test_used_bytes_include_what_is_still_in_the_log(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as connection:
        before = used_bytes(tmp_path / "some.db")
        connection.execute("INSERT INTO t VALUES (zeroblob(1000000))")
        assert 990_000 <= used_bytes(tmp_path / "some.db") - before < 1_020_000


def test_calls_are_counted_in_this_thread_and_in_watched_ones() -> None:
    def work() -> None:
        for _ in range(10):
            len("")

    calls = Calls()
    with calls.watching():
        go, done = threading.Event(), threading.Event()

        def other() -> None:
            go.wait()
            work()
            done.set()

        thread = threading.Thread(target=other)
        thread.start()
    work()
    assert calls.total() == 0
    with calls.counting():
        work()
    here = calls.here()
    assert 11 <= here <= 20  # one function, ten built-ins, and leaving the block
    with calls.counting():
        go.set()
        done.wait()
    thread.join()
    assert calls.total() - calls.here() >= 11
    assert calls.by_module()[__name__] >= 22


def test_both_sides_do_their_cycles_and_the_counts_are_printed() -> None:
    command = [sys.executable, "-m", "bench.cycle", "--rounds", "1", "--cycles", "2", "--pending", "2", "--json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "round 1 of 1" in ran.stderr
    found = json.loads(ran.stdout)
    assert found["settings"] == {"rounds": 1, "cycles": 2, "pending": 2}
    assert found["machine"]["langgraph"]
    both = [Measured(**one) for one in found["measured"]]
    assert [one.name for one in both] == ["LangGraph", "Assent"]
    for one in both:
        assert one.tool_runs == one.cycles >= 2
        assert all(count > 1000 for count in one.calls)
        assert all(count >= 1 for count in one.pause_commits + one.resume_commits)
        assert sum(one.modules.values()) == pytest.approx(sum(one.calls) / len(one.calls), rel=0.01)
        assert one.pending_bytes > 0
    printed = table(*both)
    for label in ("CPU, ms", "function calls", "durable commits", "pages written", "bytes per pending run"):
        assert label in printed
    assert printed.splitlines()[-1].split() == ["tool", "runs", "1.00", "1.00"]
    assert "langgraph" in modules(both[0])


def test_the_table_shows_both_sides_their_range_and_their_ratio() -> None:
    def side(name: str, scale: int) -> Measured:
        return Measured(
            name,
            pause_cpu_ms=[1.0 * scale, 2.0 * scale, 9.0 * scale],
            resume_cpu_ms=[1.0 * scale] * 3,
            cycle_cpu_ms=[2.0 * scale] * 3,
            calls=[1000 * scale] * 3,
            loop_calls=[900 * scale] * 3,
            pause_commits=[6 * scale] * 3,
            resume_commits=[7 * scale] * 3,
            pages=[30] * 3,
            pending_bytes=500.0 * scale,
            cycles=4,
            tool_runs=4 * scale,
        )

    rows = {
        line.split("  ")[0]: line.split()
        for line in table(side("Stock", 1), side("Ours", 2)).replace("  pause", "pause").splitlines()
    }
    assert rows["pause"][-3:] == ["6", "12", "2.00"]
    assert rows["durable commits"][-3:] == ["13", "26", "2.00"]
    assert "2.0 (1.0-9.0)" in table(side("Stock", 1), side("Ours", 2))
    assert rows["tool runs"] == ["tool", "runs", "1.00", "2.00"]
