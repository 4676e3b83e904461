"""The figure and the table show the report's own numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from assent.evals.curve.learning import LearningReport, Run
from assent.evals.curve.learning_plot import main, table
from assent.evals.curve.stream import Outcome, StreamSettings


def report(seed: int) -> LearningReport:
    outcomes = [Outcome(place >= 20, place != 70, 0.5, 0.4) for place in range(90)]
    runs = (Run("model and precedents", seed, ("a", "b"), tuple(outcomes), 1.0),)
    runs += (Run("retriever alone", seed, ("a", "b"), tuple(outcomes[:60]), 1.0),)
    return LearningReport("rows.jsonl", "sentence", "a model", StreamSettings(), runs)


def test_the_table_counts_every_message() -> None:
    text = table(report(0))
    assert "| automated | 70 (77.8%) | 40 (66.7%) |" in text
    assert "| of these wrong | 1 | 0 |" in text
    assert "| needing a person | 22.2% | 33.3% |" in text
    assert "| 51-100 | 40 of 40, 1 | 10 of 10, 0 |" in text


def test_the_command_merges_seeds_and_writes_the_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    paths = [tmp_path / f"{seed}.json" for seed in (0, 1)]
    for seed, path in enumerate(paths):
        path.write_text(json.dumps(report(seed).as_json()))
    main([*map(str, paths), "--figure", str(tmp_path / "figure.png"), "--title", "Two seeds"])
    assert "| messages | 180 | 120 |" in capsys.readouterr().out
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
