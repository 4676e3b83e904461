"""The page says what there is: forty cases, each with its tests, and the words around the numbers as they are kept."""

from __future__ import annotations

import re
from pathlib import Path

import state
import table
from cells import cells
from oracle import Found

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
CASE = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def test_every_case_of_the_catalogue_names_its_tests():
    rows = CASE.findall(table.PAGE.read_text("utf-8"))
    assert [int(number) for number, *_ in rows] == list(range(1, 41))
    assert [number for number, _, _, tests in rows if "`tests/" not in tests] == []


def test_the_page_was_written_from_what_is_kept_here():
    before, _, rest = table.PAGE.read_text("utf-8").partition("{measured}")
    after = rest.partition("{tables}")[2]
    page = PAGE.read_text("utf-8")
    assert page.startswith(before) and page.endswith(after)


def test_a_number_on_the_page_is_a_count_of_runs(tmp_path):
    known = state.State(tmp_path / "state.json", "digest", 2, "then", {"Python": "3"})
    one, other = [cell for cell in cells() if cell.name == "after-claim"][:2]
    known.of(one.key).runs, known.of(other.key).runs = 2, 3
    known.of(other.key).lost.append("t1: approved and forgotten")
    page = table.page(known, cells())
    assert "**5 runs: 1 lost, 0 twice, 0 without assent" in page
    assert "| `after-claim` | 5 | 0 | 1 | 0 | 0 | 0 |" in page


def test_what_was_run_is_forgotten_when_the_code_changes(tmp_path):
    known = state.State(tmp_path / "state.json", "one", 2, "then", {})
    known.of("a").runs = 7
    known.save()
    assert state.load(known.path, "one", 2).of("a").runs == 7
    assert state.load(known.path, "other", 2).tallies == {}


def test_only_nothing_is_clean():
    assert Found(unknown=3).clean and not Found(twice=["x"]).clean and not Found(without=["x"]).clean
