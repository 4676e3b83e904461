"""`assent evidence`: the page it writes with and without rows of real agents."""

from __future__ import annotations

import json
import random

import pytest
from assent.ui.cli import main

pytest.importorskip("sklearn", reason="needs the extra calibrate")
pytest.importorskip("matplotlib", reason="needs the extra plot")


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["assent", "evidence", *map(str, arguments)])
        code = main.run()
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return run


def few(*more):
    return ("--splits", 5, "--streams", 2, *more)


def test_without_real_rows_the_page_says_what_is_skipped_and_shows_the_rest(run, tmp_path):
    (tmp_path / "rows").mkdir()
    out = tmp_path / "docs" / "evidence.md"
    code, said, _ = run("--data", tmp_path / "rows", "--out", out, *few())
    page = out.read_text("utf-8")
    assert code == 0 and said.endswith("evidence.md is written.")
    assert page.count("**Skipped**") == 4 and "there is no bfcl_agreement.jsonl" in page
    assert "448 messages" in page and "| betting monitor | 5% | 1 x alpha |" in page
    assert sorted(path.name for path in (tmp_path / "docs" / "images").iterdir()) == ["evidence-shop.png"]


def test_with_real_rows_their_numbers_and_figure_are_on_the_page(run, tmp_path):
    draw = random.Random(1)
    rows = []
    for place in range(300):
        votes = {name: int(draw.random() < 0.8) for name in "abc"}
        right = draw.random() < (0.97 if sum(votes.values()) > 1 else 0.4)
        rows.append({"model": "m", "qid": f"q{place}", "category": draw.choice("xy"), "correct": right, "agree": votes})
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "bfcl_agreement.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    out = tmp_path / "docs" / "evidence.md"
    assert run("--data", tmp_path, "--out", out, *few())[0] == 0
    page = out.read_text("utf-8")
    assert (tmp_path / "docs" / "images" / "evidence-questions.png").stat().st_size > 10_000
    assert "| m | 300 | 225 |" in page and "boosted trees" in page


def test_a_folder_that_is_none_is_told_in_one_line(run, tmp_path):
    code, _, error = run("--data", tmp_path / "none", *few())
    assert code == 2 and error.endswith("none is no folder.") and "\n" not in error
