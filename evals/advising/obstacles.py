"""What stands between a type of actions and a looser mode, and how much more evidence would remove it; it recommends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .action_types import CATCH_LEVEL, MOST, ActionType, CertifiedShare, Mode, fewest_rows
from .oversight_costs import Costs, beyond_asking, worst_rates

ALPHAS: dict[Mode, dict[str, float]] = {
    "in the loop": {"read": 1.0, "reversible": 1.0, "costly": 1.0, "irreversible": 1.0},
    "on the loop": {"read": 1.0, "reversible": 0.10, "costly": 0.01, "irreversible": 0.01},
    "automatic": {"read": 1.0, "reversible": 0.05, "costly": 0.01, "irreversible": 0.01},
}
"""The largest share of errors that may pass unreviewed; reading changes nothing, so nothing has to be shown for it."""

LEAST_CATCH = 0.80
"""What the lower bound of the reviewers' catch rate has to reach before their decisions count as labels."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something without which a mode is not advised, or without which the numbers are wider than they need be."""

    mode: Mode | None
    """The mode it stands in the way of; None: of none, it would make the numbers better."""
    kind: str
    """`labels`, `certificate`, `catch`, `window`, `drift`, `cost`, `time` or `volume`."""
    text: str
    count: int | None = None
    """How much more of it; None where no number of it helps or it is no number."""


def obstacles(kind: ActionType, costs: Costs, mode: Mode) -> list[Missing]:
    """Return what stands between a type and a looser mode within its ceiling; nothing where the mode is open to it."""
    shown = _certificate(kind, costs, mode) if _needs_certificate(kind, mode) else _labels(kind, costs, mode)
    found = [_window(kind, mode), _drift(kind, mode), _catch(kind, mode), shown]
    return [one for one in found if one is not None]


def _window(kind: ActionType, mode: Mode) -> Missing | None:
    if mode != "on the loop" or kind.undo or kind.veto_seconds is not None:
        return None
    return Missing(
        mode, "window", "an undo of the tool, or a veto window in the policy: without one there is nothing a watcher can do"
    )


def _needs_certificate(kind: ActionType, mode: Mode) -> bool:
    return mode == "automatic" and kind.consequence in ("costly", "irreversible") and kind.certificate is None


def _certificate(kind: ActionType, costs: Costs, mode: Mode) -> Missing:
    limit = _limit(kind, costs, mode)
    rows = fewest_rows(limit, 0) if limit is not None else None
    if limit is None or rows is None:
        return _never(mode)
    least = f"it takes {rows:,} uniformly sampled labels above its threshold without an error"
    return Missing(mode, "certificate", f"a certificate that at most {limit:.1%} of what passes is wrong: {least}", rows)


def _never(mode: Mode) -> Missing:
    return Missing(mode, "cost", f"asking a person costs less than the errors of {mode}, however few they are shown to be")


def _drift(kind: ActionType, mode: Mode) -> Missing | None:
    if not kind.drift or kind.consequence == "read":
        return None
    return Missing(mode, "drift", "evidence from after the drift: what was measured before it is about another time")


def _catch(kind: ActionType, mode: Mode) -> Missing | None:
    low = kind.catch[0]
    if kind.consequence == "read" or kind.labels == "truth" or low >= LEAST_CATCH:
        return None
    return Missing(mode, "catch", *_known_items(kind))


def _known_items(kind: ActionType) -> tuple[str, int | None]:
    rows = fewest_rows(1 - LEAST_CATCH, kind.known - kind.caught, (1 - CATCH_LEVEL) / 2)
    count = None if rows is None else max(1, rows - kind.known)
    if not kind.known:
        return f"no measured catch rate of reviewers: {_told(count)} known-answer items more, all of them caught", count
    seen = (
        f"reviewers caught {kind.caught} of {kind.known} known-answer items, which shows a catch rate of {kind.catch[0]:.0%} only"
    )
    return f"{seen}: {_told(count)} more, all of them caught, would show {LEAST_CATCH:.0%}", count


def _labels(kind: ActionType, costs: Costs, mode: Mode) -> Missing | None:
    limit, bound = _limit(kind, costs, mode), kind.passed_share[1]
    if limit is not None and bound <= limit:
        return None
    seen = kind.certificate or CertifiedShare(1.0, bound, kind.labelled, kind.wrong)
    rows = fewest_rows(limit, seen.wrong) if limit is not None else None
    if limit is None or rows is None:
        return _never(mode)
    count = max(1, rows - seen.n)
    alpha = ALPHAS[mode][kind.consequence]
    worth = f"{alpha:.1%} is allowed" if limit == alpha else f"more than {limit:.1%} would cost more than asking a person"
    what = "certified rows" if kind.certificate else "audited actions"
    text = f"{count:,} more {what} without an error would allow {mode}{_months(kind, count)}: {bound:.1%} may be wrong, and {worth}"
    return Missing(mode, "labels", text, count)


def _limit(kind: ActionType, costs: Costs, mode: Mode) -> float | None:
    """Return the largest bound of the errors that pass at which a mode keeps its promise and costs no more than asking.

    What a mode costs beyond asking a person is linear in that bound and rises with it. None where no bound is small enough.
    """
    alpha = ALPHAS[mode][kind.consequence]
    none, every = (beyond_asking(kind, costs, mode, replace(worst_rates(kind), passed=bound)) for bound in (0.0, 1.0))
    if none > 0:
        return None
    return alpha if every <= 0 else min(alpha, -none / (every - none))


def _months(kind: ActionType, count: int) -> str:
    months = count / kind.volume if kind.volume else 0.0
    return f" (about {months:,.1f} months of volume)" if months >= 0.05 else ""


def _told(count: int | None) -> str:
    return f"{count:,}" if count is not None else f"more than {MOST:,}"


def better_numbers(kind: ActionType, costs: Costs) -> list[Missing]:
    """Return what would make the numbers better without standing in the way of a mode."""
    found = []
    if kind.labels == "truth" and not kind.known and kind.consequence != "read":
        text, count = _known_items(kind)
        found.append(Missing(None, "catch", f"{text}; until then nobody knows how much stays wrong after a review", count))
    times = (
        ("a review takes", kind.review_seconds, costs.review_seconds),
        ("an action waits", kind.wait_seconds, costs.wait_seconds),
    )
    unknown = [f"how long {what} ({assumed:g} s assumed)" for what, measured, assumed in times if measured is None]
    if unknown:
        found.append(Missing(None, "time", f"not measured: {' and '.join(unknown)}"))
    if not kind.volume:
        found.append(Missing(None, "volume", "how many a month is not known"))
    return found
