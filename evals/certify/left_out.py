"""What a certificate leaves out: decisions in the tool's place, neither right nor wrong; and the bound if all were wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .certificate import Certified, upper_bound


def left_out(counts: Mapping[str, int], found: Certified) -> dict[str, Any]:
    """Return how many decisions of the class were left out, of how many, and the bound if all of them had passed and were wrong.

    With m left out it is the bound for k + m wrong among n + m at the certificate's delta (Clopper and Pearson): every one of them
    taken for an error that would have passed. Without a threshold nothing passes, and there is none.

    Args:
        counts: of the class's actions, by what became of them.
        found: what was certified.
    """
    m = counts.get("respond", 0)
    labelled = sum(counts.get(name, 0) for name in ("review", "audit", "shadow"))
    worst = upper_bound(found.k + m, found.n + m, found.delta) if found.threshold is not None else None
    return {"left_out": m, "decisions": labelled + m, "bound_if_wrong": worst}
