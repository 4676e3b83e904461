"""Runs every part of the protocol on a folder's rows, or on one folder fitted on another, and returns plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..certify.diagnostics import auroc, brier, calibration_error, reliability, risk_coverage
from .alarms import RINGS, SIGNED, ring
from .editing import FILE as RUNS
from .editing import read_editing
from .guarantee import ALPHA, DELTA, SPLITS, Autonomy, certified, measure, measure_each, tuned
from .known import known_truth
from .questions import FEATURES as QUESTION_FEATURES
from .questions import FILE as QUESTIONS
from .questions import HEADLINE as QUESTION_HEADLINE
from .questions import Kind, read_questions
from .scored import Fitter, Scorable, Scored, as_agreed, pooled, scored_across, scored_between
from .shop import FILE as SHOP
from .shop import HERE, read_shop
from .writes import BUDGET, find_across, find_between, read_writes
from .writes import FEATURES as WRITE_FEATURES
from .writes import FILE as WRITES
from .writes import HEADLINE as WRITE_HEADLINE

Tell = Callable[[str], None]
SHOP_ALPHAS = (ALPHA, 0.40)
"""The retriever alone errs in half of the shop's messages; the second is a promise it can keep."""
STREAMS = 1000
CALM = 1000
"""Audits at half of alpha before a late change."""
HALVINGS = 5
"""One lucky halving decides much where a certificate is won or lost by two errors."""
CURVE = 200
"""At most so many points of a curve are kept."""


def run_protocol(
    rows: Path,
    fit: Path | None = None,
    *,
    splits: int = SPLITS,
    streams: int = STREAMS,
    seed: int = 0,
    tell: Tell = lambda said: None,
) -> dict[str, Any]:
    """Return everything that was measured; a part whose file is missing says so under `skipped`.

    Args:
        rows: the folder whose rows are certified on and scored.
        fit: the folder whose rows the heads are fitted on; None, or the same one, fits across halves by question or task.
        splits: draws of certifying labels per class.
        streams: simulated streams of audits per line.
        seed: of every draw.
        tell: told what is being done.
    """
    source = None if fit is None or fit.resolve() == rows.resolve() else fit
    both = [source or rows, rows]
    return {
        "version": 1,
        "rows": rows.name,
        "fit": source.name if source else "halves",
        "seed": seed,
        "splits": splits,
        "questions": skipped(both, [QUESTIONS]) or run_questions(rows, source, splits=splits, seed=seed, tell=tell),
        "writes": skipped(both, [WRITES]) or run_writes(rows, source, seed=seed, tell=tell),
        "editing": skipped([rows], [WRITES, RUNS]) or {"domains": [one.as_json() for one in read_editing(rows)]},
        "alarms": run_alarms(streams=streams, seed=seed, tell=tell),
    }


def skipped(folders: Sequence[Path], files: Sequence[str]) -> dict[str, str] | None:
    """Return why a part cannot run: which file is not there; None when all are."""
    missing = sorted({name for folder in folders for name in files if not (folder / name).is_file()})
    return {"skipped": f"there is no {', no '.join(missing)}"} if missing else None


def run_questions(rows: Path, fit: Path | None, *, splits: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Return guaranteed autonomy for each set of features, and the headline's heads against simpler rules."""

    def scored(features: Kind, **how: Any) -> list[list[Scored]]:
        return score_questions(rows, fit, features, seed=seed, **how)

    def measured(held: Sequence[Sequence[Scored]], name: str, **rule: Any) -> Autonomy:
        tell(f"guaranteed autonomy: {name}")
        return measure_each(held, name, splits=splits, seed=seed, **rule)

    headline = scored(QUESTION_FEATURES[QUESTION_HEADLINE])
    raw = scored(QUESTION_FEATURES[QUESTION_HEADLINE], fitter=as_agreed)
    heads = [measured(scored(features), name) for name, features in QUESTION_FEATURES.items()]
    every = [
        measured(scored(features, calls_only=False), f"{name}, calls and answers without a call")
        for name, features in QUESTION_FEATURES.items()
    ]
    return {
        "alpha": ALPHA,
        "delta": DELTA,
        "headline": QUESTION_HEADLINE,
        "raw": measured(raw, "agreement taken as it is").as_json(),
        "heads": [one.as_json() for one in heads],
        "every": [one.as_json() for one in every],
        "tuned": [
            measured(raw, "agreement, threshold tuned on the same labels", rule=tuned()).as_json(),
            measured(headline, f"{QUESTION_HEADLINE}, threshold tuned on the same labels", rule=tuned()).as_json(),
        ],
        "diagnosis": {"raw": diagnosed(raw[0]), "head": diagnosed(headline[0])},
    }


def score_questions(
    rows: Path, fit: Path | None, features: Kind, *, seed: int, fitter: Fitter = pooled, calls_only: bool = True
) -> list[list[Scored]]:
    """Return the questions' rows scored by what was fitted on the other folder; or across halves of this one, several ways."""
    held = read_questions(rows, features, calls_only=calls_only)
    if fit is None:
        return [scored_across(held, seed=seed + way, fitter=fitter) for way in range(HALVINGS)]
    return [scored_between(read_questions(fit, features, calls_only=calls_only), held, fitter=fitter)]


def diagnosed(held: Sequence[Scored]) -> dict[str, Any]:
    """Return what the scores of all classes together are worth, as confidences and as an order."""
    known = [(score, right) for one in held for score, right in zip(one.scores, one.correct, strict=True) if 0 <= score <= 1]
    scores, correct = [score for score, _ in known], [right for _, right in known]
    curve = risk_coverage(scores, correct)
    step = max(1, len(curve) // CURVE)
    return {
        "n": len(known),
        "auroc": auroc(scores, correct),
        "calibration_error": calibration_error(scores, correct),
        "brier": brier(scores, correct),
        "bins": [
            {"confidence": one.confidence, "share": one.share, "n": one.n, "interval": list(one.interval)}
            for one in reliability(scores, correct)
        ],
        "curve": [[point.coverage, point.risk] for point in (*curve[:-1:step], *curve[-1:])],
    }


def run_writes(rows: Path, fit: Path | None, *, seed: int, tell: Tell) -> dict[str, Any]:
    """Return how well the wrong writes of each domain are found, for each set of features."""
    found: Mapping[str, list[dict[str, Any]]] = {}
    for name, features in WRITE_FEATURES.items():
        tell(f"writes: {name}")
        writes, proposed = read_writes(rows, features)
        if fit is None:
            findings = find_across(writes, proposed, seed=seed)
        else:
            findings = find_between(read_writes(fit, features)[0], writes, proposed)
        found = {**found, name: [one.as_json() for one in findings]}
    return {"budget": BUDGET, "headline": WRITE_HEADLINE, "heads": found}


def run_alarms(*, streams: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Return false alarms and delays of the monitor, and of a repeated z-test at alpha 5%."""
    cases = [(name, 0.05, factor, 0) for name in RINGS for factor in (1.0, 2.0, 3.0)]
    cases += [(name, 0.05, 3.0, CALM) for name in ("betting monitor", SIGNED)]
    cases += [("betting monitor", alpha, factor, 0) for alpha in (0.02, 0.01) for factor in (1.0, 3.0)]
    found = []
    for name, alpha, factor, calm in cases:
        tell(f"{name}: alpha {alpha:.0%}, {factor:g} times as many errors")
        found.append(ring(name, alpha=alpha, factor=factor, calm=calm, streams=streams, seed=seed).as_json())
    return {"streams": found}


def run_own(*, splits: int, draws: int, seed: int = 0, folder: Path = HERE, tell: Tell = lambda said: None) -> dict[str, Any]:
    """Return what the repository's own rows show: the demo shop's, and made-up ones whose truth is known."""
    tell("the demo shop's rows")
    missing = skipped([folder], [SHOP])
    known = [one.as_json() for one in known_truth(draws=draws, seed=seed)]
    if missing:
        return {"shop": missing, "known": known}
    rows = read_shop(folder)
    return {"shop": run_shop(rows, splits=splits, seed=seed, tell=tell), "known": known}


def run_shop(rows: Sequence[Scorable], *, splits: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Return certificates for the shop's rows at a strict and at a lenient promise, with what tuning would have done."""
    head, raw = scored_across(rows, seed=seed), scored_across(rows, seed=seed, fitter=as_agreed)
    lines = []
    for alpha in SHOP_ALPHAS:
        for name, held, rule in (
            ("agreement taken as it is", raw, certified(alpha)),
            ("head", head, certified(alpha)),
            ("head, threshold tuned on the same labels", head, tuned(alpha)),
        ):
            done = measure(held, name, splits=splits, seed=seed, alpha=alpha, rule=rule, tell=tell)
            lines.append({"alpha": alpha, **done.as_json()})
    right = sum(row.correct for row in rows)
    return {"rows": len(rows), "right": right, "lines": lines, "diagnosis": {"raw": diagnosed(raw), "head": diagnosed(head)}}
