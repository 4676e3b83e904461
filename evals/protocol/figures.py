"""Draws what scores are worth: how far they can be taken at their word, and what passes at what risk; needs the extra `plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, GRID = "#1f2933", "#6b7785", "#e4e8ec"
COLOURS = {"raw": "#c46a1b", "head": "#0b6e4f"}
CALLED = {"raw": "agreement as it is", "head": "fitted head"}


def figure(diagnosis: Mapping[str, Mapping[str, Any]], alphas: Sequence[float], path: Path, title: str) -> None:
    """Write a PNG: left a reliability diagram with 95% intervals, right risk against coverage with the promised rates."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    with pyplot.rc_context({"font.size": 9, "font.family": "DejaVu Sans", "axes.edgecolor": QUIET}):
        drawn, (left, right) = pyplot.subplots(1, 2, figsize=(8.4, 3.5), dpi=110, layout="constrained")
        drawn.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11, fontweight="bold")
        for name in CALLED:
            _reliability(left, diagnosis[name]["bins"], name)
            _curve(right, diagnosis[name]["curve"], name)
        left.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=":")
        right.set_xlim(0, 103)
        for alpha in alphas:
            right.axhline(100 * alpha, color=QUIET, linewidth=1, linestyle="--")
            right.annotate(
                f"promise {alpha:.0%}", (0, 100 * alpha), xytext=(2, 2), textcoords="offset points", color=QUIET, fontsize=8
            )
        _dress(left, "confidence", "share that was right")
        _dress(right, "% that passes", "% wrong of what passes")
        right.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.9))
        drawn.savefig(path, facecolor="white", metadata={"Software": None})
        pyplot.close(drawn)


def _reliability(axes: Axes, bins: Sequence[Mapping[str, Any]], name: str) -> None:
    places, shares = [one["confidence"] for one in bins], [one["share"] for one in bins]
    below = [one["share"] - one["interval"][0] for one in bins]
    above = [one["interval"][1] - one["share"] for one in bins]
    axes.errorbar(
        places,
        shares,
        yerr=[below, above],
        color=COLOURS[name],
        marker="o",
        markersize=3.5,
        linewidth=1.3,
        elinewidth=0.8,
        capsize=2,
    )


def _curve(axes: Axes, curve: Sequence[Sequence[float]], name: str) -> None:
    axes.step(
        [100 * coverage for coverage, _ in curve],
        [100 * risk for _, risk in curve],
        where="post",
        color=COLOURS[name],
        linewidth=1.6,
        label=CALLED[name],
    )


def _dress(axes: Axes, below: str, beside: str) -> None:
    axes.set_xlabel(below, color=INK)
    axes.set_ylabel(beside, color=INK)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
