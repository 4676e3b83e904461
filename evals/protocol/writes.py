"""Rows of one write that an agent proposed, with what the right one was: how well a head finds the wrong ones.

A row is one call that changes data: `domain`, `task`, `run`, `source` (which agent), `tool`, `args`, `label`, `dry_run_ok` and
`signals`. Wrong means labelled `wrong`, among the writes whose dry run passed: the others go back to the agent, never to a person.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..certify.diagnostics import auroc, found_in_budget
from ..certify.heads import fit_head
from .lines import Row, read_lines

FILE = "tau_writes.jsonl"
BUDGET = 0.2
STRENGTH = 0.1
"""Few labels: a stronger penalty than elsewhere."""
HALVINGS = 20

Features = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Write:
    """One proposed write whose dry run passed."""

    domain: str
    task: str
    wrong: bool
    features: Features


@dataclass(frozen=True, slots=True)
class Finding:
    """How well the wrong writes of a domain were found; shares are None where nothing, or everything, was wrong."""

    domain: str
    rows: int
    wrong: int
    auroc: float | None
    """The chance that a wrong write is doubted more than a right one."""
    found: float | None
    """Share of the wrong writes among the fifth that is doubted most."""
    found_of_proposed: float | None
    """The same where the fifth is taken of all proposed writes, those that failed their dry run included, which cost no look."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def agreement_only(row: Row, rows: Sequence[Row]) -> Features:
    """Return how many other whole runs of the task proposed the same write."""
    return {"agreement": _number(_signals(row).get("agreement_other_runs"))}


def rules_only(row: Row, rows: Sequence[Row]) -> Features:
    """Return whether hand-written policy rules spoke."""
    return {"flag:policy": float(bool(_signals(row).get("policy_violations")))}


def with_rules(row: Row, rows: Sequence[Row]) -> Features:
    """Return agreement and policy flags."""
    return {**agreement_only(row, rows), **rules_only(row, rows)}


def with_failures(row: Row, rows: Sequence[Row]) -> Features:
    """Return agreement, policy flags and how many writes of this run had failed their dry run before."""
    return {**with_rules(row, rows), "failed_before": _failed_before(row, rows)}


def with_agents(row: Row, rows: Sequence[Row]) -> Features:
    """Return agreement, policy flags, the kind of agent, and, where several kinds tried the task, the vote of each kind."""
    others = [one for one in rows if one.get("run") != row.get("run")]
    kinds = sorted({agent(one) for one in rows})
    votes = {f"vote:{kind}": _vote(row, [one for one in others if agent(one) == kind]) for kind in kinds if len(kinds) > 1}
    return {**with_rules(row, rows), **votes, f"agent:{agent(row)}": 1.0}


FEATURES: dict[str, Callable[[Row, Sequence[Row]], Features]] = {
    "policy rules": rules_only,
    "agreement": agreement_only,
    "agreement and rules": with_rules,
    "agreement, rules and earlier failures": with_failures,
    "agreement, rules and which agents agree": with_agents,
}
HEADLINE = "agreement, rules and which agents agree"


def agent(row: Row) -> str:
    """Return the kind of agent: the first word in the brackets of `source`, which names the model before it."""
    found = re.search(r"\((\w+)", str(row.get("source")))
    return found[1] if found else str(row.get("source"))


def read_writes(folder: Path, features: Callable[[Row, Sequence[Row]], Features]) -> tuple[list[Write], dict[str, int]]:
    """Return a folder's writes whose dry run passed, and how many were proposed per domain."""
    rows = read_lines(folder / FILE, ("domain", "task", "label", "signals"))
    by_task: dict[tuple[str, str], list[Row]] = {}
    proposed: dict[str, int] = {}
    for row in rows:
        by_task.setdefault((str(row["domain"]), str(row["task"])), []).append(row)
        proposed[str(row["domain"])] = proposed.get(str(row["domain"]), 0) + 1
    writes = [
        Write(
            str(row["domain"]),
            f"{row['domain']} {row['task']}",
            row["label"] == "wrong",
            features(row, by_task[str(row["domain"]), str(row["task"])]),
        )
        for row in rows
        if row.get("dry_run_ok", True)
    ]
    return writes, proposed


def find_between(fit: Sequence[Write], rows: Sequence[Write], proposed: Mapping[str, int]) -> list[Finding]:
    """Return how well a head that was fitted on some writes, of all domains, finds the wrong ones of others."""
    features, correct = [one.features for one in fit], [not one.wrong for one in fit]
    head = fit_head(features, correct, strength=STRENGTH, least_labels=40, least_errors=5)
    doubt = [1 - (score if (score := head.score(one.features)) is not None else 0.0) for one in rows]
    found = []
    for domain in sorted({one.domain for one in rows}):
        held = [place for place, one in enumerate(rows) if one.domain == domain]
        doubts, wrong = [doubt[place] for place in held], [rows[place].wrong for place in held]
        wider = min(1.0, (math.floor(BUDGET * proposed.get(domain, len(held)) + 1e-9)) / len(held))
        found.append(
            Finding(
                domain,
                len(held),
                sum(wrong),
                auroc(doubts, wrong),
                found_in_budget(doubts, wrong, BUDGET),
                found_in_budget(doubts, wrong, wider),
            )
        )
    return found


def find_across(writes: Sequence[Write], proposed: Mapping[str, int], *, seed: int, halvings: int = HALVINGS) -> list[Finding]:
    """Return the means over many halvings by task, each half's writes doubted by a head that was fitted on the other half."""
    held: dict[str, list[Finding]] = {}
    sizes = {domain: sum(one.domain == domain for one in writes) for domain in proposed}
    for step in range(halvings):
        first, second = _halves(writes, seed + step)
        for fit, rows in ((first, second), (second, first)):
            here = {domain: round(total * _count(rows, domain) / max(1, sizes[domain])) for domain, total in proposed.items()}
            for one in find_between(fit, rows, here):
                held.setdefault(one.domain, []).append(one)
    return [_mean_finding(domain, writes, found) for domain, found in sorted(held.items())]


def _halves(writes: Sequence[Write], seed: int) -> tuple[list[Write], list[Write]]:
    tasks = sorted({one.task for one in writes})
    random.Random(seed).shuffle(tasks)  # noqa: S311  repeatable, not secret
    first = set(tasks[: len(tasks) // 2])
    return [one for one in writes if one.task in first], [one for one in writes if one.task not in first]


def _mean_finding(domain: str, writes: Sequence[Write], found: Sequence[Finding]) -> Finding:
    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return math.fsum(known) / len(known) if known else None

    held = [one for one in writes if one.domain == domain]
    return Finding(
        domain,
        len(held),
        sum(one.wrong for one in held),
        mean([one.auroc for one in found]),
        mean([one.found for one in found]),
        mean([one.found_of_proposed for one in found]),
    )


def _count(writes: Sequence[Write], domain: str) -> int:
    return sum(one.domain == domain for one in writes)


def _signals(row: Row) -> Mapping[str, Any]:
    signals = row.get("signals")
    return signals if isinstance(signals, Mapping) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _failed_before(row: Row, rows: Sequence[Row]) -> float:
    """Return how many writes of the run had failed their dry run before this one; at most 2, more say no more."""
    earlier = [one for one in rows if one.get("run") == row.get("run") and _place(one) < _place(row)]
    return float(min(2, sum(not one.get("dry_run_ok", True) for one in earlier)))


def _place(row: Row) -> float:
    return _number(_signals(row).get("prior_messages")) or 0.0


def _vote(row: Row, others: Sequence[Row]) -> float | None:
    """Return the share of these other runs in which the same write was proposed; None without any."""
    runs = {one.get("run") for one in others}
    same = {one.get("run") for one in others if _canonical(one) == _canonical(row)}
    return len(same) / len(runs) if runs else None


def _canonical(row: Row) -> str:
    return json.dumps([row.get("tool"), _ordered(row.get("args"))], sort_keys=True)


def _ordered(value: Any) -> Any:
    """Return arguments so that the order of lists and the case of text make no difference."""
    if isinstance(value, Mapping):
        return {name: _ordered(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((_ordered(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value.strip().casefold() if isinstance(value, str) else value
