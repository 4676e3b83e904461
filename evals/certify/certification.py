"""From rows to a certificate: part them by group, fit a head on one part, certify on the other; no label is guessed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...graph.autonomy.scoring import AGREEMENT, Head
from .certificate import Certified, More, certify, one_per_group, passes
from .diagnostics import auroc
from .heads import LEAST_ERRORS, LEAST_LABELS, fit_head
from .more_audits import audits_needed, more_audits
from .rows import Rows, RowsError, in_order
from .system_risk import SystemRisk

ALPHAS = (0.05, 0.02, 0.01)
"""The promises whose further need of audits is told."""

LEAST_CERTIFYING = 10
"""Groups; with fewer nothing can be told at any alpha that is worth a promise."""


@dataclass(frozen=True, slots=True)
class NextPromise:
    """What a promise needs."""

    alpha: float
    from_nothing: int
    """Audits without an error that are enough for it, beginning anew."""
    more: More
    """More audits of what passes the threshold (or the candidate that failed), after those there are."""


@dataclass(frozen=True, slots=True)
class Certification:
    """A certificate from rows, and all that is needed to repeat it."""

    certified: Certified
    head: Head | None
    """What turned features into scores; None when the rows brought their own."""
    seed: int
    fit_rows: int
    fit_errors: int
    groups: int
    """Groups that were certified on, one row of each."""
    notes: tuple[str, ...]
    risk: SystemRisk

    @property
    def promises(self) -> tuple[NextPromise, ...]:
        """What each of the usual promises needs at this delta."""
        found, delta = self.certified, self.certified.delta
        at = found if found.threshold is not None or not found.tested else found.tested[-1]
        return tuple(
            NextPromise(alpha, audits_needed(alpha, delta), more_audits(at.k, at.n, alpha, delta))
            for alpha in sorted({*ALPHAS, found.alpha}, reverse=True)
        )

    def as_json(self, catch: float | None = None) -> dict[str, Any]:
        """Return everything as plain JSON; `head` is what `graph.autonomy.scoring.head_of` reads."""
        risk = {**asdict(self.risk), "catch": catch, "risk": None if catch is None else self.risk.at(catch)}
        return {
            **self.certified.as_json(),
            "head": None if self.head is None else self.head.as_json(),
            "seed": self.seed,
            "fit_rows": self.fit_rows,
            "fit_errors": self.fit_errors,
            "groups": self.groups,
            "promises": [asdict(one) for one in self.promises],
            "system_risk": {**risk, "risk_if_none_is_caught": self.risk.at(0.0), "risk_if_all_are_caught": self.risk.at(1.0)},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """What a certificate let through on other rows."""

    confidences: tuple[float | None, ...]
    allowed: tuple[bool, ...]
    labelled: int
    """Rows let through whose label is known."""
    wrong: int

    @property
    def risk(self) -> float | None:
        """The share of wrong ones among what was let through; None where no label is known."""
        return self.wrong / self.labelled if self.labelled else None

    def p_value(self, alpha: float) -> float | None:
        """Return the chance of so many wrong ones, or more, if the error rate were alpha; None where no label is known.

        Exact for independent rows only: rows of one group make it too small.
        """
        if not self.labelled:
            return None
        from scipy.stats import binom

        return float(binom.sf(self.wrong - 1, self.labelled, alpha))


def certify_rows(
    rows: Rows, fit: Rows | None = None, *, alpha: float = 0.05, delta: float = 0.10, seed: int = 0, fit_share: float = 0.5
) -> Certification:
    """Fit a head and certify a threshold; neither the order of the rows nor the names of the groups change anything.

    Args:
        rows: what to certify on, one row of each group drawn by the seed; without `fit` a part of its groups is fitted on.
        fit: rows to fit the head on and to take the candidate thresholds from; groups that are in `rows` too are left out.
        alpha: the promised error rate.
        delta: the accepted chance of a broken promise.
        seed: of the draws; told in the result.
        fit_share: the part of the groups that is fitted on when there is no `fit`.

    Raises:
        RowsError: too few rows, or a label is missing.
    """
    notes: list[str] = []
    rows = in_order(rows)
    if fit is None:
        fit, rows = _parted(rows, seed, fit_share)
    else:
        fit = _apart(in_order(fit), set(rows.groups), notes)
    rows = rows.take(one_per_group(rows.groups, seed))
    if len(rows) < LEAST_CERTIFYING or not len(fit):
        raise RowsError(f"too few rows: {len(rows)} groups to certify on and {len(fit)} rows to fit on")
    head = None if rows.scores is not None else _head(fit, notes)
    notes += _telling(fit) if head is not None else []
    certified = certify(
        _numbers(_scores(rows, head)), rows.labels, alpha=alpha, delta=delta, fit_scores=_numbers(_scores(fit, head))
    )
    return Certification(
        certified=certified,
        head=head,
        seed=seed,
        fit_rows=len(fit),
        fit_errors=fit.labels.count(False),
        groups=len(rows),
        notes=tuple(notes),
        risk=_risk(certified, _scores(rows, head), rows.labels),
    )


def apply_to(found: Certification, rows: Rows) -> Applied:
    """Return which of these rows pass, and how many of those were wrong where that is known."""
    scores = _scores(rows, found.head)
    allowed = tuple(passes(score, found.certified.threshold) for score in scores)
    known = [right for right, passed in zip(rows.correct, allowed, strict=True) if passed and right is not None]
    return Applied(tuple(scores), allowed, len(known), known.count(False))


def _numbers(scores: Sequence[float | None]) -> list[float]:
    """Return the scores with what is missing as NaN, which passes nowhere."""
    return [math.nan if score is None else score for score in scores]


def _parted(rows: Rows, seed: int, fit_share: float) -> tuple[Rows, Rows]:
    names = list(dict.fromkeys(rows.groups))
    random.Random(seed).shuffle(names)  # noqa: S311  a split that anybody can repeat, not a secret
    fitting = set(names[: round(fit_share * len(names))])
    inside = [place for place, group in enumerate(rows.groups) if group in fitting]
    return rows.take(inside), rows.take([place for place, group in enumerate(rows.groups) if group not in fitting])


def _apart(fit: Rows, certifying: set[str], notes: list[str]) -> Rows:
    apart = [place for place, group in enumerate(fit.groups) if group not in certifying]
    if len(apart) < len(fit):
        notes.append(f"{len(fit) - len(apart)} rows of the fit belong to groups that are certified on and were left out")
    return fit.take(apart)


def _head(fit: Rows, notes: list[str]) -> Head:
    """Return the head of these rows; of few rows, one that may rank badly, which costs coverage but not the promise."""
    head = fit_head(fit.features, fit.labels, groups=fit.groups)
    if head != AGREEMENT:
        return head
    if any("agreement" in row for row in fit.features):
        notes.append(f"too few labels for a head ({LEAST_LABELS} with {LEAST_ERRORS} errors): agreement is the confidence")
        return head
    wrong = fit.labels.count(False)
    if not 0 < wrong < len(fit):
        notes.append("all rows of the fit are alike, so that all actions have the same confidence")
        return Head(bias=math.log((len(fit) - wrong + 0.5) / (wrong + 0.5)))
    head = fit_head(fit.features, fit.labels, groups=fit.groups, least_labels=1, least_errors=1)
    if head == AGREEMENT:
        raise RowsError("no feature of the fit varies: name others, or a score")
    if len(fit) < LEAST_LABELS or wrong < LEAST_ERRORS:
        notes.append(f"fitted on {len(fit)} labels with {wrong} errors; {LEAST_LABELS} with {LEAST_ERRORS} make a better head")
    return head


def _telling(fit: Rows) -> list[str]:
    """Return a note for each feature that tells the label nearly by itself: most likely it was not known before the decision."""
    found = []
    for name in sorted({name for row in fit.features for name in row}):
        pairs = [
            (value, right) for row, right in zip(fit.features, fit.labels, strict=True) if (value := row.get(name)) is not None
        ]
        wrong = sum(not right for _, right in pairs)
        if min(wrong, len(pairs) - wrong) < 10:
            continue
        area = auroc([value for value, _ in pairs], [right for _, right in pairs])
        if area is not None and not 1 - TELLING < area < TELLING:
            found.append(f"{name} nearly tells the label; leave it out unless it is known before anybody decides")
    return found


TELLING = 0.995
"""An area under the ROC curve of one feature from which it is doubted that it was known beforehand."""


def _scores(rows: Rows, head: Head | None) -> Sequence[float | None]:
    if head is None:
        return rows.scores or ()
    return [head.score(features) for features in rows.features]


def _risk(certified: Certified, scores: Sequence[float | None], labels: Sequence[bool]) -> SystemRisk:
    queue = [right for score, right in zip(scores, labels, strict=True) if not passes(score, certified.threshold)]
    share = queue.count(False) / len(queue) if queue else None
    return SystemRisk(certified.coverage, certified.bound, len(queue), share)
