"""The page about evals keeps its word: a suite takes 15 lines, and its files load (its Python is run by tests/test_docs.py)."""

import re
from pathlib import Path

import pytest
from assent.evals import Parts, Proposed, load_suite, run
from assent.evals.exports import FORMATS
from assent.evals.suites.scorers import BUILT_IN, LOWER_IS_BETTER

PAGE = (Path(__file__).parents[2] / "docs" / "evals.md").read_text("utf-8")


def block(kind):
    return re.search(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]


def test_a_suite_of_ones_own_takes_fifteen_lines():
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("name", ["mine.py", "mine.yaml"])
async def test_the_suites_of_the_page_load_and_run(tmp_path, name):
    async def task(case):
        return Proposed("send_reply", {"topic": "order_status"}, verdict="review")

    (tmp_path / "cases.jsonl").write_text(block("json"))
    (tmp_path / name).write_text(block("python" if name == "mine.py" else "yaml"))
    assert (await run(load_suite(tmp_path / name, Parts(tasks={"replay": task})))).passed


def test_the_page_lists_every_scorer_and_every_format():
    for name, scorer in BUILT_IN.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{scorer.__name__}`"))
        assert row.endswith("| lower |" if name in LOWER_IS_BETTER else "| higher |")
    for name in FORMATS:
        assert f"\n| `{name}` |" in PAGE
