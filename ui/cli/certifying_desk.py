"""`assent certify --agent --tool`: what a class of a desk's own actions would earn now; it looks, and offers nothing."""

from __future__ import annotations

import typer

from ...evals.certify.certifying import Tried
from ...evals.certify.labels import Labels
from ...evals.ladder.offering import measured
from ...evals.opening import open_desk
from .say import print_json, show, wait_for
from .shown import visible_text


def certify_class(url: str, who: str, agent: str, tool: str, alpha: float, delta: float, *, as_json: bool) -> None:
    """Certify a class on its rows as they are; exit code 1 when there is no threshold."""

    async def work() -> tuple[Labels, Tried]:
        async with open_desk(url) as desk:
            return await measured(desk.store, desk.clock, who, agent, tool, alpha=alpha, delta=delta)

    labels, found = wait_for(work())
    result = found.certified
    if as_json:
        print_json({"agent": agent, "tool": tool, "key": labels.key.digest(), **result.as_json(), "report": dict(found.report)})
    else:
        _print(labels, found)
    if result.threshold is None:
        raise typer.Exit(1)


def _print(labels: Labels, found: Tried) -> None:
    result, report = found.certified, found.report
    counts = ", ".join(f"{count} {name}" for name, count in sorted(labels.counts.items()))
    show(visible_text(f"{labels.agent} {labels.tool}: {counts}; {result.rows} certify, one per conversation, all of one chance"))
    promise = f"at most {result.alpha:.1%} wrong, kept with a chance of {1 - result.delta:.1%}"
    if result.threshold is None:
        show(f"No certificate: {promise}, cannot be promised.")
    else:
        show(f"From a confidence of {result.threshold:.4f} on ({report['head']}): {promise}.")
        show(f"{result.n} of {result.rows} rows pass ({result.coverage:.1%}), {result.k} wrong; at most {result.bound:.2%} (U).")
    show(f"Of what is reviewed, {report['queue_error']:.1%} was wrong; people overrode {report['override_rate']:.1%} of all.")
    if more := report["more"]:
        show(f"The next candidate needs {more['without_errors']} more of what it accepts without an error.")
    show("Nothing was offered or spent by looking: certificates for a signature come from the desk itself (docs/autonomy.md).")
