"""`assent rehearse`: the whole story of a class that earns autonomy and loses it, through the real desk, gate and statistics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def run(*words: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assent", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=os.environ)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_class_earns_its_certificate_passes_with_audits_gets_worse_and_is_demoted(tmp_path):
    done = run("rehearse", "--sign", "--home", tmp_path / "r", "--calm", 10, "--right-after", 0.1, "--cases", 400, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [one["scene"] for one in told["scenes"]] == ["full review", "offered", "signed", "changed", "demoted", "the end"]
    assert told["offered_at"] == told["signed_at"] < told["changed_at"] < told["demoted_at"] < told["cases"]
    assert told["passed_before"] > 0 and told["audited"] >= told["audits_to_alarm"] > 0
    assert told["wrong_after"] > told["wrong_before"] and told["verified"] is True
    assert "Of the next 10 proposals 0 passed" in told["scenes"][-1]["told"]
    assert "1 autonomy.promoted, 1 autonomy.demoted" in told["scenes"][-1]["told"]


def test_it_never_writes_into_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    done = run("rehearse", "--sign", "--home", tmp_path)
    assert done.returncode == 2 and "holds something else" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "keep me"
