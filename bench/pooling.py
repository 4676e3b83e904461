"""Whether classes with few labels should share a head: what is certified with agreement as it is, half and half, and on loan.

`python -m bench.pooling`, with the extra `calibrate`, draws several classes with the same signals, some labels each, and certifies
each class once, as at a desk's first try: with agreement as it is and all rows (what a desk does with fewer than 400); with a head
of its own, or one for all classes, fitted on half of the rows, on the other half; and with a head that is fitted on the rows of the
other classes only, on all rows of its own. What is certified is then looked at on many fresh actions. `--differ` gives each class
errors of its own kind.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from assent.evals.certify.certificate import candidates, certify
from assent.evals.certify.certifying import FIXED, spent
from assent.evals.certify.heads import fit_head
from assent.evals.simulation.settings import ActionClass
from assent.evals.simulation.streams import Action, synthetic
from assent.graph.autonomy.scoring import AGREEMENT, Head

ALPHA, DELTA, FRESH = 0.05, 0.10, 4_000
Choice = tuple[Head, Sequence[float], Sequence[Action]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to."""

    certified: bool
    coverage: float
    """The share of fresh actions that passes."""
    broken: bool


def agreement(drawn: Sequence[Sequence[Action]], place: int) -> Choice:
    """Take agreement as it is; every row certifies."""
    return AGREEMENT, FIXED, drawn[place]


def halves(drawn: Sequence[Sequence[Action]], place: int) -> Choice:
    """Fit on half of the rows of all classes; the other half certifies."""
    known = [action for rows in drawn for action in rows[: len(rows) // 2]]
    return _fitted(known, drawn[place][len(drawn[place]) // 2 :])


def loan(drawn: Sequence[Sequence[Action]], place: int) -> Choice:
    """Fit on the rows of the other classes; every row of its own certifies."""
    return _fitted([action for other, rows in enumerate(drawn) if other != place for action in rows], drawn[place])


def own(drawn: Sequence[Sequence[Action]], place: int) -> Choice:
    """Fit on half of its own rows; the other half certifies: what a desk does from 400 rows on."""
    rows = drawn[place]
    return _fitted(rows[: len(rows) // 2], rows[len(rows) // 2 :])


def _fitted(known: Sequence[Action], rows: Sequence[Action]) -> Choice:
    head = fit_head([action.features for action in known], [not action.wrong for action in known])
    found = [score for action in known if (score := head.score(action.features)) is not None]
    return head, FIXED if head.raw else candidates(found), rows


WAYS: dict[str, Callable[[Sequence[Sequence[Action]], int], Choice]] = {
    "agreement, all rows": agreement,
    "own head, halves": own,
    "one head, halves": halves,
    "head of the others": loan,
}


def outcome(choice: Choice, fresh: Sequence[Action]) -> Outcome:
    """Certify once, and look at fresh actions."""
    head, thresholds, rows = choice
    scores = [_score(head, action) for action in rows]
    right = [not action.wrong for action in rows]
    found = certify(scores, right, alpha=ALPHA, delta=spent(DELTA, 1), thresholds=thresholds)
    if found.threshold is None:
        return Outcome(False, 0.0, False)
    passed = [action.risk for action in fresh if _score(head, action) >= found.threshold]
    return Outcome(True, len(passed) / len(fresh), bool(passed) and mean(passed) > ALPHA)


def _score(head: Head, action: Action) -> float:
    score = head.score(action.features)
    return math.nan if score is None else score


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--labels", type=int, default=150)
    parser.add_argument("--wrong", type=float, default=0.12)
    parser.add_argument("--second", type=float, default=0.7, help="AUROC of the second signal")
    parser.add_argument("--differ", action="store_true")
    parser.add_argument("--runs", type=int, default=200)
    said = parser.parse_args()
    what = ActionClass(tool="tool", per_day=(said.labels + 40) * 1.2, wrong=said.wrong, second_auroc=said.second)
    kinds = [
        replace(what, tool=f"tool-{place}", **({"auroc": 0.88 - 0.1 * place, "hidden": 0.05 + 0.1 * place} if said.differ else {}))
        for place in range(said.classes)
    ]
    fresh = next(synthetic([replace(one, per_day=FRESH) for one in kinds], 1, 0))
    seen: dict[str, list[Outcome]] = {name: [] for name in WAYS}
    for seed in range(1, said.runs + 1):
        today = next(synthetic(kinds, 1, seed))
        drawn = [[action for action in today if action.place == place][: said.labels] for place in range(said.classes)]
        for name, way in WAYS.items():
            for place in range(said.classes):
                seen[name].append(outcome(way(drawn, place), [action for action in fresh if action.place == place]))
    print("| way | classes certified | coverage (mean) | promise broken |\n|---|---:|---:|---:|")
    for name, found in seen.items():
        count = len(found)
        parts = sum(one.certified for one in found) / count, mean(one.coverage for one in found)
        print(f"| {name} | {parts[0]:.1%} | {parts[1]:.3f} | {sum(one.broken for one in found) / count:.1%} |")
    print(f"{said.runs * said.classes} classes of {said.labels} labels, {said.wrong:.0%} wrong")


if __name__ == "__main__":
    main()
